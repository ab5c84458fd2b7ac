import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { defineQueue, defineWorkflow, PgqrsError } from '@pgqrs/core'
import { connect } from '../src/index.js'

const CANARY = 'p4ss-canary'
const started = process.cwd()

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-secrets-'))
  process.chdir(folder)
  onTestFinished(() => {
    process.chdir(started)
    rmSync(folder, { recursive: true, force: true })
  })
})
afterEach(() => {
  vi.unstubAllEnvs()
})

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

describe('a password', () => {
  it.each([
    `postgres://user:${CANARY}@host/app`,
    `postgres//user:${CANARY}@host/app`,
    `sqlite://user:${CANARY}@host/app`,
    `user:${CANARY}@host/app`,
    `libsql://host?authToken=${CANARY}`,
    `sqlite:not/there?password=${CANARY}`,
  ])('in a DSN that is none of ours is in no error (DSN %#)', async (dsn) => {
    const ways = [
      () => connect(dsn),
      () => connect({ dsn, lease: 'soon' }),
      () => connect({ dsn: 'sqlite:app.db', schema: dsn }),
      () => connect({ [dsn]: 1 }),
      () => connect({ dsn: 'sqlite:app.db', synchronous: dsn as 'full' }),
    ]
    for (const way of ways) {
      const error: unknown = await way().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(PgqrsError)
      expect(shown(error)).not.toContain(CANARY)
    }
  })

  it.each([
    ['DATABASE_URL', `postgres://user:${CANARY}@host/app`],
    ['PGQRS_DSN', `postgres://user:${CANARY}@host/app`],
    ['PGQRS_SCHEMA', `postgres://user:${CANARY}@host/app`],
    ['PGQRS_MAX_CONNECTIONS', `postgres://user:${CANARY}@host/app`],
    ['PGQRS_DEFAULT_LOCK_TIME', `postgres://user:${CANARY}@host/app`],
    ['PGQRS_SQLITE_USE_WAL', `postgres://user:${CANARY}@host/app`],
  ])('in %s is in no error', async (variable, value) => {
    vi.stubEnv(variable, value)
    const error: unknown = await connect().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PgqrsError)
    expect(shown(error)).not.toContain(CANARY)
  })

  it('in the file is in no error', async () => {
    for (const text of [
      `dsn: postgres://user:${CANARY}@host/app`,
      `dns: postgres://user:${CANARY}@host/app`,
    ]) {
      writeFileSync('pgqrs.yaml', `${text}\nlease: 5s\n`)
      const error: unknown = await connect().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(PgqrsError)
      expect(shown(error)).not.toContain(CANARY)
    }
  })

  it('of another database is in no handle of a store, however deep one looks', async () => {
    vi.stubEnv('DATABASE_URL', `postgres://user:${CANARY}@host/app`)
    const client = new Database('app.db')
    const store = await connect(client)
    onTestFinished(async () => {
      await store.close()
      client.close()
    })
    await store.admin.install()
    const queue = defineQueue('queue')
    const workflow = defineWorkflow('workflow', () => Promise.resolve(1))
    const producer = store.producer(queue)
    await producer.enqueue(1)
    const consumer = store.consumer(queue)
    const [message] = await consumer.dequeue()
    const handle = await store.trigger(workflow)
    const worker = store.worker([workflow])
    for (const thing of [
      store,
      store.admin,
      store.admin.queues,
      producer,
      consumer,
      message,
      handle,
      worker,
    ]) {
      const text = shown(thing)
      expect(text).not.toContain(CANARY)
      expect(text).not.toContain('maxConnections')
      expect(text).toContain('app.db')
    }
    expect(inspect({ deep: { store } })).toBe('{ deep: { store: Store(sqlite: app.db) } }')
  })
})
