import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../src/index.js'
import { client, database } from './database.js'

// What SQLite cannot do to a table without making it anew.
it.each([
  ['alter table pgqrs_messages drop constraint pgqrs_messages_pkey', 'index pgqrs_messages_pkey is missing'],
  ['alter table pgqrs_steps drop constraint pgqrs_steps_pkey', 'index pgqrs_steps_pkey is missing'],
  [
    'alter table pgqrs_messages alter column claims drop default',
    'column pgqrs_messages.claims is "integer not null", expected "integer not null default 0"',
  ],
  [
    'alter table pgqrs_messages alter column priority type bigint',
    'column pgqrs_messages.priority is "bigint not null default 0", expected "integer not null default 0"',
  ],
  [
    'alter table pgqrs_workers alter column host drop not null',
    'column pgqrs_workers.host is "text", expected "text not null"',
  ],
  [
    'alter table pgqrs_messages drop constraint pgqrs_messages_status_check',
    'check pgqrs_messages.status is missing',
  ],
  [
    "alter table pgqrs_queues add constraint short check (name <> 'long') not valid",
    'check pgqrs_queues.name is not known to this version',
  ],
])('tells that somebody did: %s', async (damage, told) => {
  const dsn = await database()
  const store = await connect(dsn)
  onTestFinished(() => store.close())
  await store.admin.install()
  await client(dsn).unsafe(damage)
  expect(await store.admin.verify()).toEqual({ ok: false, version: 1, differences: [told] })
})
