import { inspect } from 'node:util'
import { expect, it, onTestFinished, vi } from 'vitest'
import { AuthenticationError, ConnectionError, defineQueue, defineWorkflow, PgqrsError } from '@pgqrs/core'
import { connect, type TursoOptions } from '../src/index.js'
import { failureOf, newServer } from './under-test.js'

const CANARY = 't0ken-canary'

/** Everything a log could show of a thing. */
function shown(thing: unknown): string {
  const parts = [inspect(thing), inspect(thing, { depth: Infinity, showHidden: true }), String(thing)]
  if (thing instanceof Error) parts.push(thing.message, thing.stack ?? '')
  try {
    parts.push(JSON.stringify(thing))
  } catch (error) {
    // A cycle: its message shows names only.
    parts.push(String(error))
  }
  return parts.join('\n')
}

it('shows no token in any handle of a store, however deep one looks', async () => {
  const { httpUrl } = await newServer(CANARY)
  const ways: TursoOptions[] = [
    { dsn: httpUrl, authToken: CANARY },
    { dsn: `${httpUrl}?authToken=${CANARY}` },
  ]
  for (const options of ways) {
    const store = await connect(options)
    onTestFinished(() => store.close())
    await store.admin.install()
    const queue = defineQueue('queue')
    const workflow = defineWorkflow('workflow', () => Promise.resolve(1))
    const producer = store.producer(queue)
    await producer.enqueue(1)
    const consumer = store.consumer(queue)
    const [message] = await consumer.dequeue()
    const handle = await store.trigger(workflow)
    for (const thing of [store, store.admin, producer, consumer, message, handle, store.worker([workflow])]) {
      expect(shown(thing)).not.toContain(CANARY)
      expect(shown(thing)).toContain(new URL(httpUrl).host)
    }
  }
})

it('shows no token in the error when the server refuses it, over each protocol', async () => {
  const { httpUrl, wsUrl } = await newServer('another-token')
  for (const url of [httpUrl, wsUrl]) {
    for (const options of [{ dsn: url, authToken: CANARY }, { dsn: `${url}?authToken=${CANARY}` }]) {
      const store = await connect({ ...options, connectionTimeout: '2s' })
      onTestFinished(() => store.close())
      const error = await failureOf(store.admin.install())
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(shown(error)).not.toContain(CANARY)
    }
  }
})

it('shows no token in the error when nobody listens', async () => {
  for (const scheme of ['http', 'ws']) {
    const store = await connect({
      dsn: `${scheme}://127.0.0.1:9?authToken=${CANARY}`,
      connectionTimeout: '100ms',
    })
    onTestFinished(() => store.close())
    const error = await failureOf(store.producer('queue').enqueue(1))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(shown(error)).not.toContain(CANARY)
  }
})

it.each<TursoOptions>([
  { dsn: `libsql://user:${CANARY}@host` },
  { dsn: `libsql://host?authToken=${CANARY}#fragment` },
  { dsn: `libsql://host?authtoken=${CANARY}` },
  { dsn: `libsql://host/?authToken=${CANARY}&tls=5` },
  { dsn: `libsql:host?authToken=${CANARY}` },
  { dsn: `http://ho st?authToken=${CANARY}` },
  { dsn: `postgres://user:${CANARY}@host/app` },
  { dsn: `file:app.db?authToken=${CANARY}` },
  { dsn: 'libsql://host', authToken: `${CANARY}\n` },
  { dsn: `file:/nowhere/at/all/${'x'.repeat(5)}.db`, encryptionKey: CANARY },
  { dsn: 'libsql://host', authToken: CANARY, lease: 'soon' },
])('shows no token in the error for a DSN or an option that cannot be right (%#)', async (options) => {
  const error = await failureOf(connect(options))
  expect(error).toBeInstanceOf(PgqrsError)
  expect(shown(error)).not.toContain(CANARY)
})

it('shows no token of the environment', async () => {
  vi.stubEnv('TURSO_AUTH_TOKEN', `${CANARY} with a space`)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const error = await failureOf(connect('libsql://host'))
  expect(error).toBeInstanceOf(PgqrsError)
  expect(shown(error)).not.toContain(CANARY)
})
