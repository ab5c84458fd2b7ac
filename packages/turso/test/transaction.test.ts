import { createClient, LibsqlError, type Transaction } from '@libsql/client'
import { ClosedError, PgqrsError, TimeoutError, type Driver } from '@pgqrs/core/driver'
import { eventually } from '@pgqrs/test-database'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createTable,
  driverFor,
  failureOf,
  newFile,
  newServer,
  planFor,
  read,
  valuesOf,
  write,
} from './under-test.js'

const places = {
  file: async () => driverFor(`file:${await newFile()}`),
  memory: async () => driverFor(':memory:'),
  http: async () => driverFor((await newServer()).httpUrl),
  websocket: async () => driverFor((await newServer()).wsUrl),
}

describe.each(Object.entries(places))('%s', (_place, open) => {
  async function opened(): Promise<Driver<Transaction>> {
    const driver = await open()
    await createTable(driver)
    return driver
  }

  it('commits the work with the statements around it, and keeps the database', async () => {
    const driver = await opened()
    const value = await driver.transaction(
      planFor(async (tx) => {
        await tx.execute("insert into t values ('work')")
        return 42
      }),
    )
    expect(value).toBe(42)
    expect(await valuesOf(driver)).toEqual(['after', 'before', 'work'])
  })

  it('hands the value of the work to what comes after', async () => {
    const driver = await opened()
    await driver.transaction(
      planFor(() => 'given', { after: (value) => [write('insert into t values (?)', value)] }),
    )
    expect(await valuesOf(driver)).toEqual(['before', 'given'])
  })

  it.each(['check', 'work', 'after', 'checkAfter'] as const)('rolls back when %s throws', async (where) => {
    const driver = await opened()
    const boom = (): never => {
      throw new Error('boom')
    }
    const work = async (tx: Transaction): Promise<void> => {
      await tx.execute("insert into t values ('work')")
      if (where === 'work') boom()
    }
    const failing = planFor(work, where === 'work' ? {} : { [where]: boom })
    expect((await failureOf(driver.transaction(failing))).message).toBe('boom')
    expect(await valuesOf(driver)).toEqual([])
    await driver.transaction(planFor(() => undefined))
    expect(await valuesOf(driver)).toEqual(['after', 'before'])
  })

  it('survives an error of the callback that comes from a busy database elsewhere', async () => {
    const driver = await opened()
    await driver.execute([write("insert into t values ('kept')")])
    const busy = new LibsqlError('database is locked', 'SQLITE_BUSY')
    expect(await failureOf(driver.transaction(planFor(() => Promise.reject(busy))))).toBe(busy)
    expect(await valuesOf(driver)).toEqual(['kept'])
  })

  it('rolls back past its limit, and refuses what the callback does afterwards', async () => {
    const driver = await opened()
    let resume = (): void => undefined
    let refused: Error | undefined
    const work = async (tx: Transaction): Promise<void> => {
      await tx.execute("insert into t values ('work')")
      await new Promise<void>((resolve) => (resume = resolve))
      refused = await failureOf(tx.execute("insert into t values ('late')"))
    }
    const error = await failureOf(driver.transaction(planFor(work, { limitMs: 100 })))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toContain('100 ms')
    resume()
    await eventually('the late use to be refused', () => refused)
    expect(refused).toBeInstanceOf(ClosedError)
    expect(await valuesOf(driver)).toEqual([])
    await driver.execute([write("insert into t values ('next')")])
    expect(await valuesOf(driver)).toEqual(['next'])
  })

  it('refuses every use after the end', async () => {
    const driver = await opened()
    let kept: Transaction | undefined
    await driver.transaction(planFor((tx) => void (kept = tx)))
    expect(kept?.closed).toBe(true)
    for (const use of [
      () => kept!.execute('select 1'),
      () => kept!.batch(['select 1']),
      () => kept!.executeMultiple('delete from t'),
    ]) {
      expect(await failureOf(use())).toBeInstanceOf(ClosedError)
    }
    expect(await valuesOf(driver)).toEqual(['after', 'before'])
  })

  it('does not let the callback end the transaction', async () => {
    const driver = await opened()
    for (const end of ['commit', 'rollback', 'close'] as const) {
      const error = await failureOf(driver.transaction(planFor(async (tx) => tx[end]())))
      expect(error).toBeInstanceOf(PgqrsError)
      expect(error.message).toContain('return to commit, throw to roll back')
    }
    expect(await valuesOf(driver)).toEqual([])
  })

  it('goes on after a statement of the callback that failed and was caught', async () => {
    const driver = await opened()
    await driver.transaction(
      planFor(async (tx) => {
        await failureOf(tx.execute("insert into t values ('before')"))
        await tx.execute("insert into t values ('work')")
      }),
    )
    expect(await valuesOf(driver)).toEqual(['after', 'before', 'work'])
  })

  it('returns results as plain rows', async () => {
    const driver = await opened()
    const sql = { sql: 'select ? as a, 7 as b, null as c', args: ['x'] }
    const plan = <T>(work: (tx: Transaction) => Promise<T>) =>
      planFor(work, { before: read('select 1'), after: () => [] })
    const row = { a: 'x', b: 7, c: null }
    expect(await driver.transaction(plan((tx) => tx.execute(sql)))).toStrictEqual([row])
    expect(await driver.transaction(plan((tx) => tx.batch([sql, sql])))).toStrictEqual([[row], [row]])
    const rows = await driver.transaction(plan(async (tx) => (await tx.execute(sql)).rows))
    expect(rows).toStrictEqual([row])
    expect(Object.getOwnPropertyNames(rows[0])).toEqual(['a', 'b', 'c'])
  })

  it('takes part in a transaction of the application, all or none', async () => {
    const driver = await opened()
    await driver.transaction(
      planFor(async (tx) => {
        const execute = driver.within(tx)
        await execute?.([write("insert into t values ('a')"), write("insert into t values ('b')")])
        await failureOf(execute!([write("insert into t values ('c')"), write("insert into t values ('a')")]))
        expect(await execute?.([read('select v from t order by v')])).toEqual([
          [{ v: 'a' }, { v: 'b' }, { v: 'before' }],
        ])
      }),
    )
    expect(await valuesOf(driver)).toEqual(['a', 'after', 'b', 'before'])
  })
})

it('knows a libSQL transaction when it sees one', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  await createTable(driver)
  const client = createClient({ url: `file:${path}`, intMode: 'bigint' })
  onTestFinished(() => client.close())
  for (const other of [client, undefined, null, 'tx', {}, { execute: () => undefined }]) {
    expect(driver.within(other)).toBeUndefined()
  }
  const tx = await client.transaction('write')
  const execute = driver.within(tx)!
  expect(await execute([write("insert into t values ('mine') returning v, 5 as n")])).toEqual([
    [{ v: 'mine', n: 5 }],
  ])
  await tx.rollback()
  expect(await valuesOf(driver)).toEqual([])
  await expect(execute([write("insert into t values ('late')")])).rejects.toThrow('TRANSACTION_CLOSED')
})

it('makes other writes wait their turn, and reads of a file see what is committed', async () => {
  const driver = driverFor(`file:${await newFile()}`)
  await createTable(driver)
  let resume = (): void => undefined
  const step = driver.transaction(
    planFor(async (tx) => {
      await tx.execute("insert into t values ('work')")
      await new Promise<void>((resolve) => (resume = resolve))
    }),
  )
  const order: string[] = []
  const waiting = [
    step.then(() => order.push('step')),
    driver.execute([write("insert into t values ('next')")]).then(() => order.push('next')),
  ]
  expect(await valuesOf(driver)).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([])
  resume()
  await Promise.all(waiting)
  expect(order).toEqual(['step', 'next'])
  expect(await valuesOf(driver)).toEqual(['after', 'before', 'next', 'work'])
})
