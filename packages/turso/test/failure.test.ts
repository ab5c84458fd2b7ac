import { chmod } from 'node:fs/promises'
import { writeFile } from 'node:fs/promises'
import { LibsqlError } from '@libsql/client'
import { expect, it } from 'vitest'
import { classify } from '../src/failure.js'
import { createTable, driverFor, failureOf, newFile, read, write } from './under-test.js'

it.each([
  ['SQLITE_BUSY', 'database is locked', 'retry'],
  ['SQLITE_BUSY_SNAPSHOT', 'database is locked', 'retry'],
  ['SQLITE_LOCKED', 'database table is locked', 'retry'],
  ['SQLITE_CONSTRAINT', 'SQLite error: UNIQUE constraint failed: t.v', 'unique'],
  ['SQLITE_CONSTRAINT_UNIQUE', 'UNIQUE constraint failed: t.v', 'unique'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'UNIQUE constraint failed: t.v', 'unique'],
  ['SQLITE_CONSTRAINT_NOTNULL', 'NOT NULL constraint failed: t.v', 'other'],
  ['SQL_INPUT_ERROR', 'SQLite input error: no such table: pgqrs_messages (at offset 14)', 'not_installed'],
  ['SQLITE_ERROR', 'no such table: main.pgqrs_steps', 'not_installed'],
  ['SQLITE_ERROR', 'no such table: users', 'other'],
  ['SQLITE_READONLY', 'attempt to write a readonly database', 'read_only'],
  ['BLOCKED', 'writes are blocked', 'read_only'],
  ['SQLITE_FULL', 'database or disk is full', 'other'],
  ['SQLITE_IOERR_FSYNC', 'disk I/O error', 'other'],
  ['TRANSACTION_TIMEOUT', 'the transaction has timed out', 'retry'],
  ['TRANSACTION_CLOSED', 'the transaction is closed', 'other'],
  ['STREAM_EXPIRED', 'the stream has expired', 'broken'],
  ['HRANA_WEBSOCKET_ERROR', 'WebSocket was closed with code 1006', 'broken'],
  ['HRANA_WEBSOCKET_ERROR', 'Unexpected server response: 401', 'authentication'],
  ['HRANA_WEBSOCKET_ERROR', 'connect ECONNREFUSED 127.0.0.1:1', 'unsent'],
  ['HRANA_PROTO_ERROR', 'unexpected type of response', 'broken'],
  ['SERVER_ERROR', 'Server returned HTTP status', 'broken'],
  ['AUTH_JWT_INVALID', 'unauthorized', 'authentication'],
])('%s: %s', (code, message, kind) => {
  expect(classify(new LibsqlError(message, code)).kind).toBe(kind)
})

it.each([
  [502, 'broken'],
  [500, 'broken'],
  [429, 'unsent'],
  [401, 'authentication'],
  [403, 'authentication'],
  [404, 'other'],
])('HTTP status %i', (status, kind) => {
  const cause = Object.assign(new Error('Server returned HTTP status'), { status })
  expect(classify(new LibsqlError(cause.message, 'SERVER_ERROR', undefined, undefined, cause)).kind).toBe(
    kind,
  )
})

it('takes half an answer, and none, for a broken connection', async () => {
  const half = await failureOf(new Response('{"results": [').json())
  const none = await failureOf(fetch('data:,', { signal: AbortSignal.abort() }))
  const cut = new TypeError('terminated', {
    cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  })
  for (const error of [half, none, cut]) expect(classify(error)).toEqual({ kind: 'broken' })
})

it('leaves errors alone that are none of the database', () => {
  for (const error of [
    new Error('boom'),
    new TypeError('x is not a function'),
    'text',
    undefined,
    { code: 'SQLITE_BUSY' },
  ]) {
    expect(classify(error)).toEqual({ kind: 'other' })
  }
})

it('knows the errors of a file', async () => {
  const driver = driverFor(`file:${await newFile()}`)
  await createTable(driver)
  const insert = write("insert into t values ('a')")
  const kindOf = async (...statements: (typeof insert)[]) =>
    driver.classify(await failureOf(driver.execute(statements))).kind
  expect(await kindOf(insert, insert)).toBe('unique')
  await driver.execute([insert])
  expect(await kindOf(insert)).toBe('unique')
  expect(await kindOf(write('insert into pgqrs_messages values (1)'))).toBe('not_installed')
  expect(await kindOf(read('select * from pgqrs_messages'))).toBe('not_installed')
  expect(await kindOf(write('insert into nowhere values (1)'))).toBe('other')
})

it('says of a file that it is no database', async () => {
  const path = await newFile()
  await writeFile(path, 'this is a text and nothing else, however long it may be'.repeat(100))
  const driver = driverFor(`file:${path}`)
  expect(driver.classify(await failureOf(driver.execute([write('create table t (v)')])))).toEqual({
    kind: 'other',
    detail: 'The file is no SQLite database.',
  })
})

it('says of a file that it cannot be written', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'root may write everything')
  const path = await newFile()
  const first = driverFor(`file:${path}`, { sqliteWal: false })
  await createTable(first)
  await chmod(path, 0o400)
  const driver = driverFor(`file:${path}`, { sqliteWal: false })
  expect(driver.classify(await failureOf(driver.execute([write("insert into t values ('a')")]))).kind).toBe(
    'read_only',
  )
})
