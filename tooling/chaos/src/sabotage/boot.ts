import { interpose } from '../../../conformance/src/interpose.js'
import { everyStore } from '../faults/fault.js'
import { nowOf, type Sabotage } from './sabotage.js'

/** A worker that starts puts back whatever runs, as if nobody else could be at it. */
export const requeueAtBoot: Sabotage = {
  breaks: 'a worker that starts puts back the running work of its live peers',
  violates: ['Q7'],
  stores: everyStore,
  load: { slow: 1 },
  perSecond: 5,
  faults: ['kill'],
  workers: 2,
  seconds: 8,
  wrapDriver: (driver) =>
    interpose(driver, {
      execute: async (statements) => {
        if (statements.some(({ sql }) => /insert into (?:"\w+"\.)?"pgqrs_workers"/.test(sql))) {
          const sql = `update pgqrs_messages set status = 'queued', vt = ${nowOf(driver)} where status = 'running'`
          await driver.execute([{ sql, parameters: [], reads: false }])
        }
        return driver.execute(statements)
      },
    }),
}
