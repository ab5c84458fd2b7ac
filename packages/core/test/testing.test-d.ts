import { describe, expectTypeOf, it } from 'vitest'
import { defineWorkflow, type DriverTransaction, type Store } from '../src/index.js'
import { crashAtEveryBoundary, createTestStore, TestClock, type CrashReport } from '../src/testing.js'

interface SqliteTx {
  readonly sqlite: true
}

describe('a test store', () => {
  it('is a store with its clock', () => {
    expectTypeOf(createTestStore({ lease: '1m' })).resolves.toEqualTypeOf<{
      readonly store: Store
      readonly clock: TestClock
    }>()
    // @ts-expect-error where the database is, is not to be chosen
    void createTestStore({ dsn: 'sqlite:app.db' })
  })
})

describe('a test clock', () => {
  const clock = new TestClock(new Date(0))

  it('takes durations, and gives what a promise gives', () => {
    expectTypeOf(clock.advance('1h')).toEqualTypeOf<Promise<void>>()
    expectTypeOf(clock.next()).resolves.toEqualTypeOf<number | undefined>()
    expectTypeOf(clock.until(Promise.resolve('done'), { limit: '1y' })).resolves.toEqualTypeOf<string>()
    // @ts-expect-error a point in time is no span
    void clock.advance(new Date(0))
  })
})

describe('crashAtEveryBoundary', () => {
  const double = defineWorkflow('double', (_run, input: { n: number }) => input.n * 2)
  const inSqlite = defineWorkflow<undefined, number, SqliteTx>('in_sqlite', async (run) =>
    run.transaction('count', (tx) => Number(tx.sqlite)),
  )
  const connect = (): Promise<Store<SqliteTx>> => Promise.reject(new Error('only a type'))

  it('takes what the workflow takes and reports what it returns', () => {
    expectTypeOf(crashAtEveryBoundary(double, { n: 1 })).resolves.toEqualTypeOf<CrashReport<number>>()
    // @ts-expect-error another input
    void crashAtEveryBoundary(double, { n: 'one' })
    // @ts-expect-error no input at all
    void crashAtEveryBoundary(double)
  })

  it('needs a store with the transactions of the workflow', () => {
    expectTypeOf(crashAtEveryBoundary(inSqlite, undefined, { connect })).resolves.toEqualTypeOf<
      CrashReport<number>
    >()
    const other = (): Promise<Store<{ readonly postgres: true }>> => Promise.reject(new Error('only a type'))
    // @ts-expect-error transactions of another driver
    void crashAtEveryBoundary(inSqlite, undefined, { connect: other })
  })

  it('gives prepare the store', () => {
    void crashAtEveryBoundary(
      double,
      { n: 1 },
      {
        prepare: (store) => {
          expectTypeOf(store).toEqualTypeOf<Store<DriverTransaction>>()
        },
      },
    )
  })
})
