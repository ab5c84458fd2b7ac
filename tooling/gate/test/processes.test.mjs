import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { run } from '../processes.mjs'

const node = (code) => run(process.execPath, ['-e', code], { quiet: true })

describe('run', () => {
  it('gives the exit code and the output', async () => {
    expect(await node("console.log('a'); process.exitCode = 3")).toEqual({ code: 3, output: 'a\n' })
  })

  it('gives the output of a program that shows its own, too', async () => {
    const code = `
      import { run } from '${new URL('../processes.mjs', import.meta.url).href}'
      const { output } = await run(process.execPath, ['-e', 'console.log(1); console.error(2)'], { kept: true })
      console.log(output.split('\\n').sort().join('+'))
    `
    const { output } = await run(process.execPath, ['--input-type=module', '-e', code], { quiet: true })
    expect(output.split('\n').sort()).toEqual(['', '+1+2', '1', '2'])
  })

  it('gives the code of a shell after a signal', async () => {
    expect(await node("process.kill(process.pid, 'SIGTERM')")).toMatchObject({ code: 143 })
  })

  it('says which command does not exist', async () => {
    const { code, output } = await run('pgqrs-no-such-command', [], { quiet: true })
    expect({ code, output }).toEqual({ code: 127, output: expect.stringContaining('pgqrs-no-such-command') })
  })

  it('ends what the command left behind', async () => {
    const { output } = await node(`
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
      child.unref()
      console.log(child.pid)
    `)
    await expect.poll(() => isRunning(Number(output))).toBe(false)
  })
})

function isRunning(pid) {
  try {
    // A process that has ended and was not yet waited for still has its number, and no command line.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}
