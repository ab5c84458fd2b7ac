import { describe, expect, it } from 'vitest'
import { NotInstalledError, SchemaVersionError, type Store } from '@pgqrs/core'
import { useBench, type Bench } from '../bench.js'
import { callsOf, queue, workflow } from '../every-call.js'
import type { Target } from '../target.js'
import { errorOf, expectRefused } from '../untouched-database.js'

const confirm = 'drop every table of pgqrs'

/** Installing, verifying, and meeting tables that are not what this code needs. */
export function install(target: Target): void {
  describe('install', () => {
    const bench = useBench(target, { installed: false })

    it('creates the tables once, says what it did, and verifies', async () => {
      const store = await bench.open()
      expect(await store.admin.verify()).toEqual({
        ok: false,
        version: 0,
        differences: [expect.stringContaining('npx pgqrs install')],
      })
      expect(await store.admin.install()).toEqual({ from: 0, to: 1, applied: ['initial'], restored: [] })
      expect(await store.admin.install()).toEqual({ from: 1, to: 1, applied: [], restored: [] })
      expect(await store.admin.verify()).toEqual({ ok: true, version: 1, differences: [] })
    })

    it('is not in the way of a program that installs at every start', async () => {
      const store = await installed(bench)
      const id = await store.producer(queue).enqueue(1)
      const another = await bench.open()
      await another.admin.install()
      expect(await another.admin.messages.get(id)).toMatchObject({ payload: 1, status: 'queued' })
    })

    it('lets one of twenty installers win, and all of them succeed', async ({ skip }) => {
      skip(!target.capabilities.shared, 'only one connection reaches this database')
      const stores = await Promise.all(Array.from({ length: 20 }, () => bench.open()))
      const reports = await Promise.all(stores.map((store) => store.admin.install()))
      expect(reports.flatMap((report) => report.applied)).toEqual(['initial'])
      expect(new Set(reports.map((report) => report.to))).toEqual(new Set([1]))
      for (const store of stores) expect((await store.admin.verify()).differences).toEqual([])
      expect(await bench.db.query('select version from pgqrs_migrations')).toHaveLength(1)
    })

    it('is done by concurrent calls on one store as well', async () => {
      const store = await bench.open()
      const reports = await Promise.all(Array.from({ length: 20 }, () => store.admin.install()))
      expect(reports.flatMap((report) => report.applied)).toEqual(['initial'])
    })

    it('is asked for by every call that needs the tables, and heals them all when another store installs', async ({
      skip,
    }) => {
      const store = await bench.open()
      const calls = callsOf(store)
      await expectRefused(
        'NOT_INSTALLED',
        calls.map(([what, call]) => [what, call, 'npx pgqrs install']),
      )
      skip(!target.capabilities.shared, 'only one store reaches this database')
      await installed(bench)
      for (const [, call] of calls) await call()
      expect(await store.admin.metrics('numbers')).toMatchObject({ queue: 'numbers' })
    })

    it('is asked for inside a transaction of the caller’s as well', async () => {
      const store = await bench.open()
      const errors: unknown[] = []
      await bench.db
        .inTransaction(async (tx) => {
          errors.push(await errorOf('enqueue', () => store.producer(queue).enqueue(1, { tx })))
        })
        .catch((error: unknown) => errors.push(error))
      expect(errors[0]).toBeInstanceOf(NotInstalledError)
    })

    it('drops everything when it is told so in words, and nothing of anybody else', async () => {
      const store = await installed(bench)
      await store.producer(queue).enqueue(1)
      await expectRefused('INVALID_ARGUMENT', [
        ['no word', () => store.admin.uninstall(undefined as never), confirm],
        ['another word', () => store.admin.uninstall({ confirm: 'yes' as never }), confirm],
      ])
      expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
      await store.admin.uninstall({ confirm })
      expect(await store.admin.verify()).toMatchObject({ ok: false, version: 0 })
      for (const table of ['messages', 'steps', 'queues', 'workers', 'tallies', 'migrations']) {
        await errorOf(table, () => bench.db.query(`select * from pgqrs_${table}`))
      }
      expect(await bench.db.query('select * from effects')).toEqual([])
      await expect(store.producer(queue).enqueue(1)).rejects.toThrow(NotInstalledError)
      await store.admin.uninstall({ confirm })
      await store.admin.install()
      await store.producer(queue).enqueue(2)
      expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
    })

    it('is noticed by a store whose tables were dropped and made again by another', async ({ skip }) => {
      skip(!target.capabilities.shared, 'only one store reaches this database')
      const store = await installed(bench)
      await store.producer(queue).enqueue(1)
      const another = await bench.open()
      await another.admin.uninstall({ confirm })
      await expect(store.producer(queue).enqueue(2)).rejects.toThrow(NotInstalledError)
      await another.admin.install()
      await store.producer(queue).enqueue(3)
      expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
    })

    describe('verify', () => {
      // What was done to the tables, and what must be told of it.
      const timeType = target.capabilities.schemas ? 'timestamptz' : 'integer'
      const damages: readonly (readonly [damage: string, told: string])[] = [
        ['drop index pgqrs_messages_claim', 'index pgqrs_messages_claim is missing'],
        ['drop index pgqrs_messages_key', 'index pgqrs_messages_key is missing'],
        ['alter table pgqrs_workers drop column host', 'column pgqrs_workers.host is missing'],
        [
          'alter table pgqrs_workers add column shoe_size int',
          'column pgqrs_workers.shoe_size is not known to this version',
        ],
        ['alter table pgqrs_workers rename column host to hosts', 'column pgqrs_workers.host is missing'],
        ['drop table pgqrs_queues', 'table pgqrs_queues is missing'],
        ['drop table pgqrs_tallies', 'table pgqrs_tallies is missing'],
        ['drop table pgqrs_steps', 'table pgqrs_steps is missing'],
        ['update pgqrs_migrations set version = 5', 'schema version is 5, this code is written for 1'],
      ]
      it.each(damages)('tells that somebody did: %s', async (damage, told) => {
        const store = await installed(bench)
        await bench.db.query(damage)
        const report = await store.admin.verify()
        expect(report.ok).toBe(false)
        expect(report.differences).toContain(told)
      })

      it('tells that a column has another type, and which it should have', async () => {
        const store = await installed(bench)
        await bench.db.query('alter table pgqrs_workers drop column pid')
        await bench.db.query("alter table pgqrs_workers add column pid text not null default ''")
        expect(await store.admin.verify()).toMatchObject({
          ok: false,
          differences: [
            expect.stringMatching(
              /^column pgqrs_workers\.pid is "text not null.*", expected "integer not null"$/,
            ),
          ],
        })
      })

      it('tells of checks and a primary key that are missing or others', async () => {
        const store = await installed(bench)
        const queues = bench.db.table?.('pgqrs_queues') ?? 'pgqrs_queues'
        await bench.db.query(`drop table ${queues}`)
        await bench.db.query(
          `create table ${queues} (name text not null, kind text not null, paused_at ${timeType}, created_at ${timeType} not null)`,
        )
        const { differences } = await store.admin.verify()
        expect([...differences].sort()).toEqual([
          'check pgqrs_queues.kind is missing',
          'index pgqrs_queues_pkey is missing',
        ])
        await bench.db.query(`drop table ${queues}`)
        await bench.db.query(
          `create table ${queues} (name text not null check (length(name) < 5), kind text not null check (kind in ('queue', 'topic')),
            paused_at ${timeType}, created_at ${timeType} not null, primary key (kind, name), check (name <> kind))`,
        )
        expect([...(await store.admin.verify()).differences].sort()).toEqual([
          expect.stringMatching(/^check pgqrs_queues is not known to this version$/),
          expect.stringMatching(/^check pgqrs_queues\.kind is ".*'topic'.*", expected ".*'workflow'.*"$/),
          expect.stringMatching(/^check pgqrs_queues\.name is not known to this version$/),
          expect.stringMatching(
            /^index pgqrs_queues_pkey is "unique on .* \(kind, name\)", expected "unique on .* \(name\)"$/,
          ),
        ])
      })

      it('tells that an index is another one under its name', async () => {
        const store = await installed(bench)
        await bench.db.query('drop index pgqrs_messages_key')
        await bench.db.query('create index pgqrs_messages_key on pgqrs_messages (queue, key)')
        const { differences } = await store.admin.verify()
        expect(differences).toEqual([
          expect.stringMatching(/^index pgqrs_messages_key is .*, expected "unique on/),
        ])
      })

      it('tells that a trigger is missing', async ({ skip }) => {
        skip(target.capabilities.schemas, 'this database counts inside its statements and has no triggers')
        const store = await installed(bench)
        await bench.db.query('drop trigger pgqrs_messages_finish')
        expect((await store.admin.verify()).differences).toEqual(['trigger pgqrs_messages_finish is missing'])
      })

      it('tells every difference, each on its own, and changes nothing', async () => {
        const store = await installed(bench)
        await store.producer(queue).enqueue(1)
        await bench.db.query('drop index pgqrs_messages_claim')
        await bench.db.query('drop table pgqrs_steps')
        await bench.db.query('alter table pgqrs_workers add column shoe_size int')
        const before = await store.admin.verify()
        expect(before.differences).toEqual(
          expect.arrayContaining([
            'index pgqrs_messages_claim is missing',
            'table pgqrs_steps is missing',
            'column pgqrs_workers.shoe_size is not known to this version',
          ]),
        )
        expect(await store.admin.verify()).toEqual(before)
      })

      it('does not mind indexes of the operator’s', async () => {
        const store = await installed(bench)
        await bench.db.query('create index operators_own on pgqrs_messages (enqueued_at)')
        expect(await store.admin.verify()).toEqual({ ok: true, version: 1, differences: [] })
      })

      it('is followed by an install that makes again what is missing, and says what', async () => {
        const store = await installed(bench)
        const id = await store.producer(queue).enqueue(1)
        for (const what of ['index pgqrs_messages_claim', 'table pgqrs_tallies', 'table pgqrs_steps']) {
          await bench.db.query(`drop ${what}`)
        }
        await bench.db.query('alter table pgqrs_workers add column shoe_size int')
        const { applied, restored } = await store.admin.install()
        expect(applied).toEqual([])
        expect(restored).toEqual(
          expect.arrayContaining(['index pgqrs_messages_claim', 'table pgqrs_tallies', 'table pgqrs_steps']),
        )
        // A column is not taken away: somebody may need it.
        expect((await store.admin.verify()).differences).toEqual([
          'column pgqrs_workers.shoe_size is not known to this version',
        ])
        expect(await store.admin.install()).toMatchObject({ restored: [] })
        expect(await store.admin.messages.get(id)).toMatchObject({ payload: 1 })
      })

      it('is followed by an install that loses no data when the version is gone', async () => {
        const store = await installed(bench)
        const id = await store.producer(queue).enqueue(1)
        await bench.db.query('delete from pgqrs_migrations')
        await bench.db.query('drop index pgqrs_messages_claim')
        await bench.db.query('drop table pgqrs_steps')
        const another = await bench.open()
        await expect(another.producer(queue).enqueue(2)).rejects.toThrow(NotInstalledError)
        expect(await another.admin.verify()).toMatchObject({ ok: false, version: 0 })
        await another.admin.install()
        expect(await another.admin.verify()).toEqual({ ok: true, version: 1, differences: [] })
        expect(await another.admin.messages.get(id)).toMatchObject({ payload: 1 })
      })
    })

    describe('another version', () => {
      async function withVersion(version: number, compatibleFrom: number): Promise<Store> {
        await installed(bench)
        await bench.db.query(
          `update pgqrs_migrations set version = ${version}, compatible_from = ${compatibleFrom}`,
        )
        return bench.open()
      }

      it('is refused by every call when it is older, with both numbers and the fix', async () => {
        const store = await withVersion(0, 0)
        for (const [what, call] of callsOf(store)) {
          const error = await errorOf(what, call)
          expect(error).toBeInstanceOf(SchemaVersionError)
          expect(error).toMatchObject({ installed: 0, required: 1, retryable: false })
          expect((error as Error).message).toMatch(/version 0.*needs 1.*npx pgqrs install/)
        }
        await store.admin.install()
        await store.producer(queue).enqueue(1)
      })

      it('is refused by every call when it is too new, also by install, with both numbers and the fix', async () => {
        const store = await withVersion(7, 6)
        for (const [what, call] of [...callsOf(store), ['install', () => store.admin.install()] as const]) {
          const error = await errorOf(what, call)
          expect(error).toBeInstanceOf(SchemaVersionError)
          expect(error).toMatchObject({ installed: 7, required: 1 })
          expect((error as Error).message).toMatch(/version 7.*newer.*knows 1.*@pgqrs\/core/)
        }
        expect(await bench.db.query('select version from pgqrs_migrations')).toHaveLength(1)
      })

      it('works when it is newer and says that this code may still work with it', async () => {
        const store = await withVersion(7, 1)
        expect(await store.admin.install()).toEqual({ from: 7, to: 7, applied: [], restored: [] })
        for (const [, call] of callsOf(store)) await call()
        const worker = store.worker([workflow])
        await worker.start()
        expect(await (await store.trigger(workflow, 21)).result({ timeout: '20s' })).toBe(42)
        await worker.stop()
        expect(await store.admin.verify()).toMatchObject({ ok: false, version: 7 })
      })
    })
  })
}

async function installed(bench: Bench): Promise<Store> {
  const store = await bench.open()
  await store.admin.install()
  return store
}
