import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '@libsql/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startLibsqlServer, type LibsqlServer } from '../src/index.js'

describe.each(['http', 'ws'] as const)('@libsql/client over %s', (protocol) => {
  let server: LibsqlServer
  let client: Client

  const connect = (): Client =>
    createClient({ url: protocol === 'http' ? server.httpUrl : server.wsUrl, intMode: 'bigint' })
  const count = async (): Promise<unknown> => (await client.execute('select count(*) from t')).rows[0]?.[0]

  beforeEach(async () => {
    server = await startLibsqlServer()
    client = connect()
    await client.execute('create table t (id integer primary key, v text unique, b blob)')
  })
  afterEach(async () => {
    client.close()
    await server.stop()
  })

  it('speaks the protocol it was asked for', () => {
    expect(client.protocol).toBe(protocol)
  })

  it('selects every type of value', async () => {
    const { columns, rows } = await client.execute({
      sql: "select ? as i, ? as f, ? as t, ? as b, null as n, 2.0 as whole, 'ä' as u",
      args: [9007199254740993n, 1.5, 'text', new Uint8Array([0, 1, 255])],
    })
    expect(columns).toEqual(['i', 'f', 't', 'b', 'n', 'whole', 'u'])
    expect(rows[0]?.['i']).toBe(9007199254740993n)
    expect(rows[0]?.['f']).toBe(1.5)
    expect(rows[0]?.['t']).toBe('text')
    expect(new Uint8Array(rows[0]?.['b'] as ArrayBuffer)).toEqual(new Uint8Array([0, 1, 255]))
    expect(rows[0]?.['n']).toBeNull()
    expect(rows[0]?.['whole']).toBe(2)
    expect(rows[0]?.['u']).toBe('ä')
  })

  it('takes a lone blob and named arguments', async () => {
    await client.execute({ sql: 'insert into t (b) values (?)', args: [new Uint8Array([7])] })
    const { rows } = await client.execute({ sql: 'select hex(b), :a from t', args: { a: 5n } })
    expect(Array.from(rows[0] ?? [])).toEqual(['07', 5n])
    await expect(client.execute({ sql: 'select ?', args: { a: 1 } })).rejects.toMatchObject({
      code: 'ARGS_INVALID',
    })
  })

  it('reports rows affected and the last rowid, with returning too', async () => {
    const plain = await client.execute("insert into t (v) values ('a'), ('b')")
    expect(plain).toMatchObject({ rowsAffected: 2, lastInsertRowid: 2n })
    const returning = await client.execute("update t set v = v || '!' returning v")
    expect(returning.rows.map((row) => row[0])).toEqual(['a!', 'b!'])
    expect(returning.rowsAffected).toBe(2)
  })

  it('commits a batch, and rolls all of it back when one statement fails', async () => {
    await client.batch(["insert into t (v) values ('a')", "insert into t (v) values ('b')"], 'write')
    expect(await count()).toBe(2n)
    const failing = client.batch(
      ["insert into t (v) values ('c')", 'insert into nowhere values (1)'],
      'write',
    )
    await expect(failing).rejects.toThrow(/no such table: nowhere/)
    expect(await count()).toBe(2n)
  })

  it('keeps an interactive transaction apart until it commits', async () => {
    const rolledBack = await client.transaction('write')
    await rolledBack.execute("insert into t (v) values ('a')")
    await rolledBack.rollback()
    const committed = await client.transaction('write')
    await committed.execute("insert into t (v) values ('b')")
    expect((await committed.execute('select count(*) from t')).rows[0]?.[0]).toBe(1n)
    expect(await count()).toBe(0n)
    await committed.commit()
    expect(await count()).toBe(1n)
  })

  it('lets a writer wait for the transaction of another', async () => {
    const first = await client.transaction('write')
    await first.execute("insert into t (v) values ('first')")
    const second = client.batch(["insert into t (v) values ('second')"], 'write')
    await first.commit()
    await second
    expect(await count()).toBe(2n)
  })

  it('rolls back when the client goes away in a transaction', async () => {
    const other = connect()
    const transaction = await other.transaction('write')
    await transaction.execute("insert into t (v) values ('lost')")
    transaction.close()
    other.close()
    await client.execute("insert into t (v) values ('kept')")
    expect(await count()).toBe(1n)
  })

  it('runs scripts and migrations', async () => {
    await client.executeMultiple('create table m (a); insert into m values (1); insert into m values (2)')
    await client.migrate(['create table n (a)'])
    expect((await client.execute('select count(*) from m, (select count(*) from n)')).rows[0]?.[0]).toBe(2n)
  })

  it('names errors as sqld does', async () => {
    await expect(client.execute('selec')).rejects.toMatchObject({ code: 'SQL_INPUT_ERROR' })
    await client.execute("insert into t (v) values ('a')")
    await expect(client.execute("insert into t (v) values ('a')")).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT',
      message: expect.stringContaining('UNIQUE constraint failed: t.v') as string,
    })
  })

  it('counts the requests that may execute something', async () => {
    const before = server.requests()
    await client.execute('select 1')
    await client.batch(['select 1', 'select 2'], 'write')
    expect(server.requests() - before).toBe(2)
  })

  it('fails the next requests, and no more of them', async () => {
    server.fail({ status: 502, count: 2 })
    await expect(client.execute("insert into t (v) values ('a')")).rejects.toThrow()
    await expect(client.execute("insert into t (v) values ('a')")).rejects.toThrow()
    await client.execute("insert into t (v) values ('a')")
    expect(await count()).toBe(1n)
  })

  it('drops a request before it is executed', async () => {
    server.fail({ drop: 'request' })
    await expect(client.execute("insert into t (v) values ('a')")).rejects.toThrow()
    expect(await count()).toBe(0n)
  })

  it('drops an answer after the request was executed', async () => {
    server.fail({ drop: 'answer' })
    await expect(client.batch(["insert into t (v) values ('a')"], 'write')).rejects.toThrow()
    expect(await count()).toBe(1n)
  })

  it('delays an answer', async () => {
    server.fail({ delayMs: 200 })
    const begin = performance.now()
    await client.execute('select 1')
    expect(performance.now() - begin).toBeGreaterThan(190)
  })
})

describe('the server', () => {
  it.each(['httpUrl', 'wsUrl'] as const)('asks for its token (%s)', async (url) => {
    const server = await startLibsqlServer({ token: 'secret' })
    const [good, bad] = ['secret', 'wrong'].map((authToken) => createClient({ url: server[url], authToken }))
    expect((await good?.execute('select 1'))?.rows).toHaveLength(1)
    await expect(bad?.execute('select 1')).rejects.toThrow()
    good?.close()
    bad?.close()
    await server.stop()
  })

  it('serves a given file and leaves it in place', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'libsql-file-'))
    const file = join(directory, 'kept.db')
    const first = await startLibsqlServer({ file })
    const writer = createClient({ url: first.httpUrl })
    await writer.batch(['create table t (v)', "insert into t values ('stays')"], 'write')
    writer.close()
    await first.stop()
    expect(existsSync(file)).toBe(true)
    const second = await startLibsqlServer({ file })
    const reader = createClient({ url: second.wsUrl })
    expect((await reader.execute('select v from t')).rows[0]?.[0]).toBe('stays')
    reader.close()
    await second.stop()
    await rm(directory, { recursive: true })
  })

  it('says so when its port is taken, and stops twice', async () => {
    const server = await startLibsqlServer()
    const port = Number(new URL(server.httpUrl).port)
    await expect(startLibsqlServer({ port })).rejects.toThrow(/EADDRINUSE/)
    await server.stop()
    await server.stop()
  })
})
