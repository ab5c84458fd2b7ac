import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, spawnChild } from '../src/index.js'
import { isRunning } from './running.js'

const file = (name: string): string => fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url))

it('reads the lines in order and reports how the child ended', async () => {
  const child = await spawnChild(file('counter'), ['end', '3'], { cwd: '/' })
  expect(await child.waitFor('ready')).toBe('ready')
  expect(await child.waitFor((line) => line.length > 3)).toBe('three')
  expect(await child.exited).toEqual({ code: 3, signal: null })
  const all: string[] = []
  for await (const line of child.lines) all.push(line)
  expect(all).toEqual(['ready', 'one', 'two', 'three'])
})

it('rejects with everything printed when a line does not come, or the child ends without it', async () => {
  const silent = await spawnChild(file('counter'))
  await silent.waitFor('three')
  await expect(silent.waitFor('four', 300)).rejects.toThrow(/"four…" in 300 ms, but:\n[^]*ready[^]*three/)
  silent.kill()
  expect(await silent.exited).toEqual({ code: null, signal: 'SIGKILL' })
  await expect(silent.waitFor('four')).rejects.toThrow(/ended without a line "four…"[^]*a complaint/)
})

it('dies with its parent, even when it has been stopped', async () => {
  const parent = await spawnChild(file('parent'))
  const pid = Number((await parent.waitFor('stopped ')).slice('stopped '.length))
  expect(isRunning(pid)).toBe(true)
  parent.kill('SIGKILL')
  await eventually('the grandchild to be gone', () => !isRunning(pid), { timeoutMs: 5_000 })
})
