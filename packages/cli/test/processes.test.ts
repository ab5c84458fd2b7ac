import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Ended } from './command-line.js'
import { installedProject, project } from './project.js'

const main = join(import.meta.dirname, '../src/main.ts')
const nodeFlags = ['--conditions=@pgqrs/source', '--import', import.meta.resolve('tsx')]

/** Runs a command to its end, which has to come by itself. */
async function ended(command: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(command, args, { env: process.env })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}

const node = (args: readonly string[], input?: string): Promise<Ended> =>
  ended(process.execPath, [...nodeFlags, main, ...args], input)

it('installs, verifies and works as processes of its own', async () => {
  project()
  const dsn = ['--dsn', 'sqlite:app.db']
  expect(await node(['verify', ...dsn])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no SQLite file "app.db"'),
  })
  expect(await node(['install', ...dsn])).toMatchObject({ code: 0, stderr: '' })
  expect(await node(['verify', ...dsn])).toMatchObject({ code: 0, stderr: '' })
  expect(await node(['queue', 'create', 'emails', ...dsn])).toMatchObject({ code: 0 })
  const { code, stdout } = await node(
    ['message', 'enqueue', 'emails', '--stdin', '--json', ...dsn],
    '{"to":"a"}',
  )
  expect(code).toBe(0)
  const { id } = JSON.parse(stdout) as { id: string }
  expect((await node(['message', 'show', id, ...dsn])).stdout).toContain('"to": "a"')
})

it('takes the DSN from standard input and ends', async () => {
  await installedProject()
  expect(await node(['verify', '--dsn', '-'], 'sqlite:app.db\n')).toMatchObject({ code: 0, stderr: '' })
})

it('ends with the exit codes of its errors', async () => {
  project()
  expect(await node(['queue', 'lst'])).toEqual({
    code: 2,
    stdout: '',
    stderr: "error [USAGE] unknown command 'lst' (Did you mean list?)\n",
  })
  const missing = await node(['status', '--dsn', ':memory:', '--json'])
  expect(missing).toMatchObject({ code: 3, stdout: '' })
  expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'NOT_INSTALLED' } })
})

it('does not mind that nobody reads on', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueueMany(Array<string>(1000).fill('x'.repeat(1000)))
  const quoted = [process.execPath, ...nodeFlags, main, 'message', 'list', '--limit', '1000', '--json']
    .map((word) => `'${word}'`)
    .join(' ')
  const { stdout, stderr } = await ended('sh', ['-c', `{ ${quoted}; echo "code $?" >&2; } | head -1`])
  expect({ stdout, stderr }).toEqual({ stdout: '{\n', stderr: 'code 0\n' })
})
