import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, DatabaseError, NotInstalledError, PgqrsError } from '@pgqrs/core'
import { connect, type SqliteOptions } from '../src/index.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgqrs-bad-files-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
})

async function refusal(target: string | SqliteOptions): Promise<PgqrsError> {
  try {
    const store = await connect(target)
    onTestFinished(() => store.close())
    await store.admin.install()
  } catch (error) {
    if (error instanceof PgqrsError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('connect', () => {
  it('names the file whose folder is not there', async () => {
    const path = join(folder, 'not', 'there', 'app.db')
    const error = await refusal(`sqlite:${path}`)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/The SQLite file ".*app\.db" cannot be opened: .*directory does not exist/)
  })

  it('names the file that is a folder', async () => {
    mkdirSync(join(folder, 'app.db'))
    const error = await refusal(`sqlite:${join(folder, 'app.db')}`)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/The SQLite file ".*app\.db" cannot be opened/)
  })

  it('names the file that is no database, and leaves it as it is', async () => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'these are my notes. '.repeat(500))
    const error = await refusal(`sqlite:${path}`)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/The SQLite file ".*notes\.txt" cannot be used: .*not a database/)
  })

  it.each([
    ['sqlite:', 'names no file'],
    ['sqlite:a\0b', 'names no file'],
    ['postgres://localhost/app', '"postgres:" is not the scheme of a SQLite file'],
    ['', 'dsn must be'],
  ])('refuses the DSN %o', async (dsn, said) => {
    const error = await refusal(dsn)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toContain(said)
  })

  it('refuses what is no Database of better-sqlite3', async () => {
    const other = { prepare: () => undefined, exec: () => undefined }
    for (const target of [other, { client: other }, { client: null }]) {
      const error = await refusal(target as never)
      expect(error).toBeInstanceOf(ConfigError)
      expect(error.message).toContain('client must be a Database of better-sqlite3')
    }
    expect((await refusal(null as never)).message).toContain('the options must be an object')
  })

  it('refuses a schema, which SQLite has not', async () => {
    const error = await refusal({ dsn: ':memory:', schema: 'app' })
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/^schema: SQLite has no schemas/)
  })

  it('refuses an unknown synchronous', async () => {
    const error = await refusal({ dsn: ':memory:', synchronous: 'off' as 'full' })
    expect(error.message).toBe('synchronous must be full or normal. Got "off".')
  })
})

describe('a database of the application’s that takes no writes', () => {
  it('is named when something is written, and can be looked at', async () => {
    const path = join(folder, 'app.db')
    const owner = await connect(`sqlite:${path}`)
    await owner.admin.install()
    await owner.close()
    chmodSync(path, 0o444)
    const client = new Database(path, { readonly: true })
    const store = await connect(client)
    onTestFinished(async () => {
      await store.close()
      client.close()
    })
    expect(await store.admin.verify()).toMatchObject({ ok: true })
    const error: unknown = await store
      .producer('queue')
      .enqueue(1)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DatabaseError)
    expect((error as Error).message).toMatch(/app\.db takes no writes at the moment.*readonly/)
  })
})

describe('a table that was dropped from under a store', () => {
  it.each(['messages', 'tallies', 'queues'])('is asked for by name of the fix: pgqrs_%s', async (table) => {
    const client = new Database(':memory:')
    const store = await connect(client)
    onTestFinished(async () => {
      await store.close()
      client.close()
    })
    await store.admin.install()
    const consumer = store.consumer('queue')
    await store.producer('queue').enqueue(1)
    const [message] = await consumer.dequeue()
    client.exec(`drop table pgqrs_${table}`)
    const calls = {
      messages: () => message?.archive(),
      tallies: () => message?.archive(),
      queues: () => store.admin.queues.list(),
    }
    const error: unknown = await Promise.resolve(calls[table as keyof typeof calls]()).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(NotInstalledError)
    expect((error as Error).message).toContain('npx pgqrs install')
  })
})
