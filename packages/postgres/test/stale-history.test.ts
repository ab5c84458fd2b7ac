import { defineWorkflow } from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { eventually } from '@pgqrs/test-database'
import { expect, it } from 'vitest'
import { interpose } from '../../../tooling/conformance/src/interpose.js'
import { client, database, deferred } from './database.js'
import { open } from './stores.js'

/** A claim that waits between the moment as of which it sees the database and the taking of a row. */
function waitingClaims(driver: Driver): Driver {
  return interpose(driver, {
    execute: (statements) =>
      driver.execute(
        statements.map((statement) => ({
          ...statement,
          sql: statement.sql.replace(
            'm.finished_at is null and m.vt <=',
            'm.finished_at is null and gate() and m.vt <=',
          ),
        })),
      ),
  })
}

it('brings along what the last holder recorded while the claim was under way', async () => {
  const dsn = await database()
  const admin = client(dsn)
  const former = await open(dsn, { lease: '30s' })
  await former.admin.install()
  await admin`create function gate() returns bool language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(7); return true; end $$`

  const ran: string[] = []
  const begun = deferred()
  const recorded = deferred()
  const byFormer = defineWorkflow('slow', async (run) => {
    await run.step('once', async () => {
      ran.push('former')
      begun.resolve()
      await recorded.promise
      return 'by the former holder'
    })
    return new Promise<string>(() => undefined)
  })
  // With one slot it does not claim the run again itself.
  await former.worker([byFormer], { concurrency: 1 }).start()
  const handle = await former.trigger(byFormer, undefined)
  await begun.promise

  // Its lease lapses. Another worker is about to take the run when the result is recorded after all.
  await admin`update pgqrs_messages set vt = now() - interval '1 second'`
  const lock = await admin.reserve()
  await lock`select pg_advisory_lock(7)`
  const next = await open(dsn, { wrapDriver: waitingClaims })
  const byNext = defineWorkflow('slow', (run) =>
    run.step('once', () => {
      ran.push('next')
      return 'by the next holder'
    }),
  )
  const started = next.worker([byNext]).start()
  await eventually('the claim to be under way', async () => {
    const waiting = await admin`select 1 from pg_locks where locktype = 'advisory' and not granted`
    return waiting.length > 0
  })
  recorded.resolve()
  await eventually('the step to be recorded', async () => (await admin`select 1 from pgqrs_steps`).length > 0)
  await lock`select pg_advisory_unlock(7)`
  lock.release()
  await started

  expect(await handle.result()).toBe('by the former holder')
  expect(ran).toEqual(['former'])
})
