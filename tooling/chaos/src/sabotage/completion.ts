import { delay, systemClock, type Driver } from '@pgqrs/core/driver'
import { transitionOf } from '../../../conformance/src/crash-points.js'
import { interpose } from '../../../conformance/src/interpose.js'
import { everyStore } from '../faults/fault.js'
import { nowOf, rewriting, type Sabotage } from './sabotage.js'

/** The result is one statement, the end of the message another. */
export const splitCompletion: Sabotage = {
  breaks: 'a message gets its result in one statement and its end in another',
  violates: ['W13'],
  stores: everyStore,
  load: { work: 1, nap: 1 },
  faults: [],
  workers: 1,
  seconds: 3,
  wrapDriver: (driver) => {
    const first = rewriting(['finish'], (sql) => sql.replace('finished_at = ', 'started_at = '))(driver)
    return interpose(first, {
      execute: async (statements) => {
        const rows = await first.execute(statements)
        if (statements.some((statement) => transitionOf(statement) === 'finish')) {
          const sql = `update pgqrs_messages set finished_at = ${nowOf(driver)}
            where finished_at is null and status in ('success', 'error', 'cancelled')`
          await driver.execute([{ sql, parameters: [], reads: false }])
        }
        return rows
      },
      transaction: (plan) => first.transaction(plan),
    })
  },
}

/** A message is finished when it is handed out, before its handler has seen it. */
export const ackFirst: Sabotage = {
  breaks: 'a message is finished before its handler begins',
  violates: ['Q6'],
  stores: everyStore,
  load: { work: 1 },
  faults: ['kill'],
  workers: 2,
  seconds: 4,
  wrapDriver: (driver) => interpose(driver, { execute: (statements) => claimAndFinish(driver, statements) }),
}

async function claimAndFinish(driver: Driver, statements: Parameters<Driver['execute']>[0]) {
  const rows = await driver.execute(statements)
  const claimed = statements.flatMap((statement, i) =>
    transitionOf(statement) === 'claim' ? (rows[i] ?? []).map((row) => `'${String(row['id'])}'`) : [],
  )
  if (claimed.length > 0) {
    const sql = `update pgqrs_messages set status = 'success', finished_at = ${nowOf(driver)}
      where id in (${claimed.join(',')})`
    await driver.execute([{ sql, parameters: [], reads: false }])
    // Time to notice: a handler that begins at once is not told from one that had begun before.
    await delay(systemClock, 150)
  }
  return rows
}
