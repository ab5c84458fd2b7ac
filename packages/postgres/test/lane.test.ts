import { eventually, startProxy } from '@pgqrs/test-database'
import type { Sql, TransactionSql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import type { Row } from '@pgqrs/core/driver'
import { deferred, driverFor, settled, strayErrors } from './database.js'
import { notes, plan, setting } from './plan.js'

async function pidOf(tx: TransactionSql): Promise<number> {
  const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`
  return row!.pid
}

async function killAndWait(admin: Sql, pid: number): Promise<void> {
  await admin`select pg_terminate_backend(${pid}, 5000)`
}

it('never runs a late statement of a dead transaction, inside another one or outside', async () => {
  const stray = strayErrors()
  const { admin, dsn } = await setting()
  // One lane, so that the second transaction gets the place of the first.
  const driver = driverFor(dsn, { maxConnections: 2 })
  const started = deferred<number>()
  const dead = deferred()
  const late: string[] = []
  const lateDone = deferred()
  const first = driver
    .transaction(
      plan(async (tx) => {
        await tx`insert into notes values ('first')`
        const madeInTime = tx`insert into notes values ('late, made before')`
        started.resolve(await pidOf(tx))
        await dead.promise
        for (const statement of [
          madeInTime,
          tx`insert into notes values ('late')`,
          tx.unsafe('insert into notes values ($1)', ['late']),
        ]) {
          late.push(await settled(statement))
        }
        lateDone.resolve()
      }),
    )
    .catch((error: unknown) => error)
  await killAndWait(admin, await started.promise)
  expect(driver.classify(await first).kind).toBe('broken')
  const second = driver.transaction(
    plan(async (tx) => {
      await tx`insert into notes values ('second, must be rolled back')`
      dead.resolve()
      await lateDone.promise
      throw new Error('roll back')
    }),
  )
  await expect(second).rejects.toThrow('roll back')
  expect(late).toEqual(Array(3).fill(expect.stringContaining('rejected: The statement was not sent')))
  expect(await notes(admin)).toEqual([])
  expect(stray).toEqual([])
})

it('never runs a statement of a transaction that has ended well', async () => {
  const stray = strayErrors()
  const { admin, driver } = await setting()
  let kept: TransactionSql | undefined
  await driver.transaction(plan((tx) => void (kept = tx)))
  await expect(kept!`insert into notes values ('late')`).rejects.toThrow(/its transaction is over/)
  // Nobody waits for this one: it must not end the process.
  void kept!`insert into notes values ('late')`.execute()
  await expect(kept!.savepoint(async (tx) => tx`insert into notes values ('late')`)).rejects.toThrow(
    /is over/,
  )
  expect(await notes(admin)).toEqual(['checkpoint'])
  expect(stray).toEqual([])
})

it('survives 60 kills: no leak, no hang, nothing uncaught', async () => {
  const stray = strayErrors()
  const { admin, driver } = await setting()
  for (let i = 0; i < 60; i++) {
    const killed = deferred()
    const waiting: Promise<string>[] = []
    const victim = driver.transaction(
      plan(async (tx) => {
        await tx`insert into notes values (${`victim ${i}`})`
        const pid = await pidOf(tx)
        if (i % 3 === 1) waiting.push(settled(tx`select pg_sleep(1)`), settled(tx`select 1`))
        const kill = killAndWait(admin, pid).then(killed.resolve)
        if (i % 3 === 2) waiting.push(settled(tx`insert into notes values ('racing')`))
        else await kill
        waiting.push(settled(tx`insert into notes values ('late')`))
        await kill
      }),
    )
    const bystander = driver.transaction(
      plan(async (tx) => {
        await tx`insert into notes values ('bystander')`
        await killed.promise
        throw new Error('roll back')
      }),
    )
    expect(await settled(victim)).toMatch(/^rejected: /)
    expect(await settled(bystander)).toBe('rejected: roll back')
    const outcomes = await Promise.all(waiting)
    expect(outcomes).not.toContain('never settled')
  }
  expect(await notes(admin)).toEqual([])
  expect(stray).toEqual([])
}, 60_000)

it('ends a transaction that takes too long, whatever it is doing', async () => {
  const stray = strayErrors()
  const { admin, driver } = await setting()
  const works: ((tx: TransactionSql) => Promise<unknown>)[] = [
    (tx) => tx`select pg_sleep(30)`,
    () => new Promise(() => {}),
    (tx) => tx`select pg_sleep(30)`.catch(() => new Promise(() => {})),
  ]
  for (const work of works) {
    const slow = driver.transaction(
      plan<unknown>(
        async (tx) => {
          await tx`insert into notes values ('slow')`
          return work(tx)
        },
        { limitMs: 200 },
      ),
    )
    await expect(slow).rejects.toMatchObject({ code: 'TIMEOUT' })
  }
  await eventually('the server to end the statements', async () => {
    const [row] =
      await admin`select count(*)::int as n from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`
    return row!['n'] === 0
  })
  expect(await notes(admin)).toEqual([])
  expect(stray).toEqual([])
})

it('has the server end the transaction of a process that froze', async () => {
  const { dsn, admin } = await setting()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const driver = driverFor(proxy.dsn)
  const frozen = driver.transaction(
    plan(
      async (tx) => {
        await tx`lock table notes`
        proxy.halfOpen()
        await new Promise(() => {})
      },
      { limitMs: 500 },
    ),
  )
  await expect(frozen).rejects.toMatchObject({ code: 'TIMEOUT' })
  // The proxy still holds the server's side of the connection open.
  await admin`insert into notes values ('after')`
  expect(await notes(admin)).toEqual(['after'])
})

it('says that the outcome is unknown when the answer to COMMIT is lost', async () => {
  const { dsn, admin } = await setting()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const driver = driverFor(proxy.dsn)
  const lost = proxy.dropAnswerTo(/^commit/i)
  const error: unknown = await driver.transaction(plan(() => 'done')).catch((e: unknown) => e)
  await lost
  expect(driver.classify(error).kind).toBe('broken')
  expect(await notes(admin)).toEqual(['checkpoint'])
})

it('keeps settings of one transaction from the next', async () => {
  const { dsn } = await setting()
  const driver = driverFor(dsn, { maxConnections: 2 })
  await driver.transaction(
    plan((tx) => tx`select set_config('search_path', 'pg_catalog', false)`, { after: () => [] }),
  )
  const [row] = (await driver.transaction(plan((tx) => tx`show search_path`))) as Row[]
  expect(row).toEqual({ search_path: '"$user", public' })
})

it.each([
  { maxConnections: 2, lanes: 1 },
  { maxConnections: 6, lanes: 3 },
])('runs $lanes transactions at once with $maxConnections connections', async ({ maxConnections, lanes }) => {
  const { dsn } = await setting()
  const driver = driverFor(dsn, { maxConnections })
  const order: number[] = []
  let running = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      driver.transaction(
        plan(async (tx) => {
          order.push(i)
          most = Math.max(most, ++running)
          await tx`select pg_sleep(0.01)`
          running--
        }),
      ),
    ),
  )
  expect(most).toBe(lanes)
  const inOrder = Array.from(order.keys())
  // Several lanes are handed out first come first served, too, but may then overtake each other.
  expect(lanes === 1 ? order : order.toSorted((a, b) => a - b)).toEqual(inOrder)
})
