import { ConfigError } from '@pgqrs/core/driver'
import { expect, it } from 'vitest'
import { parseTarget } from '../src/target.js'

it.each([
  ['libsql://db-org.turso.io', { kind: 'remote', url: 'libsql://db-org.turso.io' }],
  ['https://db-org.turso.io', { kind: 'remote', url: 'https://db-org.turso.io/' }],
  ['http://127.0.0.1:8080', { kind: 'remote', url: 'http://127.0.0.1:8080/' }],
  ['wss://host/path', { kind: 'remote', url: 'wss://host/path' }],
  ['ws://[::1]:8080', { kind: 'remote', url: 'ws://[::1]:8080/' }],
  ['libsql://host:8080?tls=0', { kind: 'remote', url: 'libsql://host:8080?tls=0' }],
  ['libsql://host?authToken=secret', { kind: 'remote', url: 'libsql://host', authToken: 'secret' }],
  ['LIBSQL://host', { kind: 'remote', url: 'libsql://host' }],
  ['file:app.db', { kind: 'file', url: 'file:app.db' }],
  ['file:/var/lib/app.db', { kind: 'file', url: 'file:/var/lib/app.db' }],
  ['file:///var/lib/app.db', { kind: 'file', url: 'file:///var/lib/app.db' }],
  ['file://localhost/app.db', { kind: 'file', url: 'file://localhost/app.db' }],
  ['turso:app.db', { kind: 'file', url: 'file:app.db' }],
  ['turso:./data/app.db', { kind: 'file', url: 'file:./data/app.db' }],
  ['turso:/var/50%/#1?.db', { kind: 'file', url: 'file:/var/50%25/%231%3F.db' }],
  ['turso:///var/lib/app.db', { kind: 'file', url: 'file:///var/lib/app.db' }],
  ['turso:file:app.db', { kind: 'file', url: 'file:app.db' }],
  ['turso://db-org.turso.io', { kind: 'remote', url: 'libsql://db-org.turso.io' }],
  ['turso:db-org.turso.io', { kind: 'remote', url: 'libsql://db-org.turso.io' }],
  ['turso:libsql://host', { kind: 'remote', url: 'libsql://host' }],
  ['turso:http://host:1', { kind: 'remote', url: 'http://host:1/' }],
  [':memory:', { kind: 'memory', url: ':memory:' }],
  ['file::memory:', { kind: 'memory', url: ':memory:' }],
  ['turso::memory:', { kind: 'memory', url: ':memory:' }],
])('reads %s', (dsn, target) => {
  expect(parseTarget(dsn)).toEqual(target)
})

it.each([
  '',
  'app.db',
  'postgres://host/db',
  'libsql:',
  'libsql://',
  'https://',
  'http://[::1',
  'libsql://user:secret@host',
  'libsql://host?authToken=secret&other=1',
  'libsql://host?tls=2&authToken=secret',
  'libsql://host#secret',
  'nonsense://user:secret@host?authToken=secret',
  'file:',
  'file://',
  'file://host/app.db',
  'file:app.db?mode=ro',
  'turso:',
  'turso://',
  'turso:libsql://',
])('refuses %s, without showing a secret', (dsn) => {
  expect(() => parseTarget(dsn)).toThrow(ConfigError)
  expect(() => parseTarget(dsn)).not.toThrow(/secret/)
})
