import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createSilentServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { isDockerReachable } from '../src/docker-engine.js'
import { startPostgres } from '../src/index.js'

let directory: string
let socket: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-'))
  socket = join(directory, 'docker.sock')
  vi.stubEnv('DOCKER_HOST', `unix://${socket}`)
  vi.stubEnv('PGQRS_TEST_DSN', '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await rm(directory, { recursive: true })
})

async function listen<T extends Server>(server: T): Promise<T> {
  server.listen(socket)
  await once(server, 'listening')
  return server
}

it('is not reachable when nothing listens, at once and without a word', async () => {
  const stderr = vi.spyOn(process.stderr, 'write')
  const begin = performance.now()
  expect(await isDockerReachable()).toBe(false)
  expect(performance.now() - begin).toBeLessThan(500)
  expect(stderr).not.toHaveBeenCalled()
})

it('is not reachable when what listens keeps silent, in less than a second', async () => {
  const silent = await listen(createSilentServer())
  const begin = performance.now()
  expect(await isDockerReachable()).toBe(false)
  expect(performance.now() - begin).toBeLessThan(1000)
  silent.close()
})

it('falls back to an embedded server, in one line, when the image cannot be started', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  vi.stubEnv('PGQRS_TEST_IMAGE', 'local/no-such-image:18')
  const engine = await listen(
    createHttpServer((request, response) => {
      response.statusCode = request.url === '/_ping' ? 200 : 500
      response.end()
    }),
  )
  expect(await isDockerReachable()).toBe(true)
  const server = await startPostgres()
  expect(server.source).toBe('embedded')
  await server.stop()
  engine.closeAllConnections()
  engine.close()
  const lines = stderr.mock.calls.map(([text]) => String(text))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(
    /^@pgqrs\/test-database: Docker answers, but local\/no-such-image:18 cannot be started \(.+\); starting an embedded Postgres instead\n$/,
  )
})
