import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, spawnChild, startPostgres, type ChildHandle } from '../src/index.js'
import { isRunning, pidsOf, type Traces } from './running.js'

const owner = fileURLToPath(new URL('./children/server-owner.ts', import.meta.url))
const PATIENCE = { timeoutMs: 5_000 }

async function startOwner(...args: string[]): Promise<{ child: ChildHandle; traces: Traces }> {
  const child = await spawnChild(owner, args)
  const line = await child.waitFor('started ', 30_000)
  return { child, traces: JSON.parse(line.slice('started '.length)) as Traces }
}

const isGone = ({ postmaster, directory }: Traces) => !isRunning(postmaster) && !existsSync(directory)

it.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'no server and no directory after %s of the process that started it',
  async (signal) => {
    const { child, traces } = await startOwner()
    expect(isRunning(traces.postmaster)).toBe(true)
    child.kill(signal)
    expect(await child.exited).toEqual({ code: null, signal })
    await eventually('the server and its directory to be gone', () => isGone(traces), PATIENCE)
    await eventually('the keeper to be gone', () => pidsOf(`keeper.mjs keep ${child.pid}`).length === 0)
  },
)

it('nothing when the process ends without stopping the server', async () => {
  const { child, traces } = await startOwner('end')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  await eventually('the server and its directory to be gone', () => isGone(traces), PATIENCE)
})

it('nothing after the next start when the keeper was killed as well', async () => {
  const { child, traces } = await startOwner()
  for (const pid of pidsOf(`keeper.mjs keep ${child.pid}`)) process.kill(pid, 'SIGKILL')
  child.kill('SIGKILL')
  await child.exited
  expect(isRunning(traces.postmaster)).toBe(true)
  expect(existsSync(traces.directory)).toBe(true)
  const next = await startPostgres({ fresh: true })
  await eventually('the next start to have swept', () => isGone(traces), PATIENCE)
  await next.stop()
})

it('a server is stopped in the ordinary way when only its keeper was killed', async () => {
  const server = await startPostgres({ fresh: true })
  for (const pid of pidsOf(`keeper.mjs keep ${process.pid}`)) process.kill(pid, 'SIGKILL')
  await eventually('the keepers to be gone', () => pidsOf(`keeper.mjs keep ${process.pid}`).length === 0)
  await server.stop()
  expect(pidsOf(new URL(server.dsn).port)).toEqual([])
})

it('the same holds for a process that is not root', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'this process is not root, so the tests above have shown it')
  const flags = ['--import', import.meta.resolve('tsx'), owner]
  const child = spawn(process.execPath, flags, {
    uid: 65534,
    gid: 65534,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const traces = JSON.parse(line.slice('started '.length)) as Traces
  expect(isRunning(traces.postmaster)).toBe(true)
  child.kill('SIGKILL')
  await eventually('the server and its directory to be gone', () => isGone(traces), PATIENCE)
})
