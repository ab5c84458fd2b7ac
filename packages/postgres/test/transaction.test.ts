import type { TransactionSql } from 'postgres'
import { expect, it } from 'vitest'
import type { Row, TransactionPlan } from '@pgqrs/core/driver'
import { parametersOfClient } from '../src/parameters.js'
import { client, driverFor } from './database.js'
import { notes, plan, setting } from './plan.js'

it('commits the work and the statements around it together', async () => {
  const { admin, driver } = await setting()
  const seen: Row[][] = []
  const value = await driver.transaction(
    plan(
      async (tx) => {
        await tx`insert into notes values (${'work'})`
        expect(await notes(admin)).toEqual([])
        return 42
      },
      {
        check: (rows) => void seen.push([...rows]),
        after: (result) => [
          { sql: 'insert into notes values ($1) returning who', parameters: [`got ${result}`], reads: false },
        ],
        checkAfter: (rows) => void seen.push(...rows.map((r) => [...r])),
      },
    ),
  )
  expect(value).toBe(42)
  expect(seen).toEqual([[{ first: 1 }], [{ who: 'got 42' }]])
  expect(await notes(admin)).toEqual(['got 42', 'work'])
})

it.each<[string, Partial<TransactionPlan<TransactionSql, unknown>>]>([
  [
    'check',
    {
      check: () => {
        throw new Error('no')
      },
    },
  ],
  [
    'work',
    {
      work: async (tx) => {
        await tx`insert into notes values ('w')`
        throw new Error('no')
      },
    },
  ],
  [
    'after',
    {
      after: () => {
        throw new Error('no')
      },
    },
  ],
  [
    'checkAfter',
    {
      checkAfter: () => {
        throw new Error('no')
      },
    },
  ],
])('rolls back when %s throws, and passes on just what it threw', async (_name, rest) => {
  const { admin, driver } = await setting()
  await expect(
    driver.transaction(plan<unknown>((tx) => tx`insert into notes values ('w')`, rest)),
  ).rejects.toThrow(/^no$/)
  expect(await notes(admin)).toEqual([])
  expect(await driver.transaction(plan(() => 'the lane is fine'))).toBe('the lane is fine')
})

it('hands on the rows of a result as a plain array', async () => {
  const { driver } = await setting()
  const given: unknown[] = []
  const rows = await driver.transaction(
    plan<unknown>((tx) => tx`select 1 as one`, { after: (value) => (given.push(value), []) }),
  )
  expect(rows).toEqual([{ one: 1 }])
  expect(Object.getPrototypeOf(rows)).toBe(Array.prototype)
  expect(given[0]).toBe(rows)
})

it('rejects when the callback kept the error of a statement to itself', async () => {
  const { admin, driver } = await setting()
  const swallowed = driver.transaction(
    plan(async (tx) => {
      await tx`insert into notes values ('before')`
      await tx`select 1 / 0`.catch(() => {})
      return 'fine'
    }),
  )
  await expect(swallowed).rejects.toMatchObject({
    code: 'TRANSACTION_OVER',
    cause: { message: 'division by zero' },
  })
  expect(await notes(admin)).toEqual([])
})

it('waits for statements that the callback did not wait for', async () => {
  const { admin, driver } = await setting()
  await driver.transaction(
    plan((tx) => {
      void tx`insert into notes select 'floating' from pg_sleep(0.05)`.execute()
    }),
  )
  expect(await notes(admin)).toEqual(['checkpoint', 'floating'])
})

it.each([
  ['commit', /is committed or rolled back by pgqrs/],
  ['  ROLLBACK', /is committed or rolled back by pgqrs/],
  ["insert into notes values ('x'); commit", /ended the transaction itself/],
  ["insert into notes values ('x'); rollback", /ended the transaction itself/],
])('does not let the callback end the transaction with %s', async (text, message) => {
  const { admin, driver } = await setting()
  await expect(driver.transaction(plan((tx) => tx.unsafe(text)))).rejects.toThrow(message)
  expect(await notes(admin)).not.toContain('checkpoint')
})

it('rolls back to savepoints, nested and named', async () => {
  const { admin, driver } = await setting()
  const value = await driver.transaction(
    plan(async (tx) => {
      await tx`insert into notes values ('1')`
      const inner = await tx.savepoint('na"me', async (point) => {
        await point`insert into notes values ('2')`
        await expect(
          point.savepoint(async (deeper) => {
            await deeper`insert into notes values ('3')`
            await deeper`select 1 / 0`
          }),
        ).rejects.toThrow('division by zero')
        return 'kept'
      })
      const swallowed = tx.savepoint(async (point) => {
        await point`insert into notes values ('4')`
        await point`select 1 / 0`.catch(() => {})
      })
      await expect(swallowed).rejects.toThrow(/failed/)
      return inner
    }),
  )
  expect(value).toBe('kept')
  expect(await notes(admin)).toEqual(['1', '2', 'checkpoint'])
})

it('passes the error of a deferred constraint on, which only COMMIT raises', async () => {
  const { admin, driver } = await setting()
  await admin`create table once (n int unique deferrable initially deferred)`
  const twice = driver.transaction(plan((tx) => tx`insert into once values (1), (1)`))
  expect(driver.classify(await twice.catch((e: unknown) => e)).kind).toBe('unique')
  expect(await notes(admin)).toEqual([])
})

it('gives the transaction what the client of the application has: arrays, types, transforms', async () => {
  const { dsn } = await setting()
  const url = new URL(dsn)
  const sql = client('', {
    host: url.hostname,
    port: Number(url.port),
    user: url.username,
    pass: () => Promise.resolve(decodeURIComponent(url.password)),
    database: url.pathname.slice(1),
    transform: {
      column: { from: (name: string) => name.replaceAll(/_(.)/g, (_: string, c: string) => c.toUpperCase()) },
    },
    types: { bigint: { to: 20, from: [20], parse: (text: string) => BigInt(text), serialize: String } },
  } as never)
  const driver = driverFor(dsn, { parameters: parametersOfClient(sql, true) })
  const checked: Row[] = []
  const rows = await driver.transaction(
    plan<unknown>(
      (tx) => tx`select array[1, 2] as "some_ints", 3::int8 as big, 2 = any(${[1, 2]}) as found`,
      {
        before: { sql: 'select $1::int as "lease_id"', parameters: [7], reads: false },
        check: (found) => void checked.push(...found),
      },
    ),
  )
  expect(rows).toEqual([{ someInts: [1, 2], big: 3n, found: true }])
  expect(checked).toEqual([{ lease_id: 7 }])
  await driver.close()
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
})

it('refuses what would get past the gate', async () => {
  const { driver } = await setting()
  await expect(driver.transaction(plan(async (tx) => tx.file('x.sql')))).rejects.toThrow(
    /tx\.file does not work/,
  )
  await expect(driver.transaction(plan(async (tx) => tx.prepare('x')))).rejects.toThrow(
    /tx\.prepare does not work/,
  )
})

it('composes fragments and helpers as postgres.js does', async () => {
  const { admin, driver } = await setting()
  await driver.transaction(
    plan(async (tx) => {
      await tx`insert into notes ${tx([{ who: 'a' }, { who: 'b' }])}`
      const filter = tx`where who = ${'a'}`
      expect(await tx`select ${tx('who')} from notes ${filter}`).toEqual([{ who: 'a' }])
      const found: unknown[] = []
      for await (const rows of tx`select generate_series(1, 5) as n`.cursor(2)) found.push(...rows)
      expect(found).toHaveLength(5)
      expect(await tx`select ${tx.json({ x: 1 })} as j, ${tx.array(['p', 'q'])} as a`).toEqual([
        { j: { x: 1 }, a: ['p', 'q'] },
      ])
    }),
  )
  expect(await notes(admin)).toEqual(['a', 'b', 'checkpoint'])
})
