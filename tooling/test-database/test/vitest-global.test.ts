import { afterEach, expect, it, vi } from 'vitest'
import setup from '../src/vitest-global.js'
import { eventually } from '../src/index.js'
import { isRunning, tracesOf } from './running.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

it('starts one server for all projects of a run, says which, and stops it after the last', async () => {
  vi.stubEnv('PGQRS_TEST_DSN', '')
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock')
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const provided: Record<string, unknown>[] = [{}, {}]
  const teardowns = await Promise.all(
    provided.map((values) => setup({ provide: (key, value) => void (values[key] = value) })),
  )
  const lines = stdout.mock.calls.map(([text]) => String(text))
  stdout.mockRestore()
  expect(lines).toEqual([expect.stringMatching(/^Postgres 18 for the tests: embedded, ready in \d+ ms\n$/)])
  expect(provided[0]).toEqual(provided[1])
  expect(provided[0]).toMatchObject({ postgresMajor: 18, postgresSource: 'embedded' })
  const { postmaster } = await tracesOf(String(provided[0]?.['postgresDsn']))
  await teardowns[0]?.()
  expect(isRunning(postmaster)).toBe(true)
  await teardowns[1]?.()
  await eventually('the server to be gone', () => !isRunning(postmaster))
})
