import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../src/report.js'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface Ended {
  readonly code: number
  readonly output: string
}

function bench(args: readonly string[], flags: readonly string[] = []): Promise<Ended> {
  const all = [...flags, '--import', import.meta.resolve('tsx'), main, ...args]
  const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, all, { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}

describe('the bench', { timeout: 120_000 }, () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgqrs-bench-test-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('measures, counts what is in the database, prints tables and writes JSON', async () => {
    const file = join(folder, 'report.json')
    // The limit needs neither a build nor an install.
    const args = ['--systems', 'limit', '--store', 'sqlite', '--only', 'E1,D,W', '--quick', '--json', file]
    const { code, output } = await bench(args)
    expect(output).toContain('D: drain, one worker process, messages/s')
    expect(code).toBe(0)
    const { figures, complete, trials, machine } = JSON.parse(readFileSync(file, 'utf8')) as Report
    expect(complete).toBe(true)
    expect(trials.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined])
    expect(figures.map(({ metric, system }) => [metric, system])).toEqual([
      ['E1', 'limit'],
      ['D', 'limit'],
      ['W', 'limit'],
    ])
    for (const { spread } of figures) expect(spread.median).toBeGreaterThan(0)
    expect(machine.node).toBe(process.version)
  })

  it.each([
    [['--systems', 'limit,rabbit'], 'there is no system rabbit; there are pgqrs, limit, pg-boss'],
    [['--only', 'E9'], 'there is no scenario E9'],
  ])('says what there is when it is asked for %j', async (args, message) => {
    const { code, output } = await bench(args)
    expect(output).toContain(message)
    expect(code).toBe(2)
  })

  it('does not run under a debugger', async () => {
    const { code, output } = await bench(['--systems', 'limit'], ['--inspect=0'])
    expect(output).toContain('The bench does not run: an inspector is attached')
    expect(code).toBe(1)
  })
})
