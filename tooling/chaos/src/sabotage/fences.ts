import type { Statement } from '@pgqrs/core/driver'
import { transitionOf } from '../../../conformance/src/crash-points.js'
import { interpose } from '../../../conformance/src/interpose.js'
import { everyStore } from '../faults/fault.js'
import { rewriting, type Sabotage } from './sabotage.js'

const FENCE = /(\w+)\.lease_id = (r\.lease_id|\$\d+|\?)/g
const ofHolders = ['finish', 'release', 'extend', 'delete', 'record', 'hold'] as const

/** Writes of holders carry no fence: who lost its lease changes the message all the same. */
export const noFence: Sabotage = {
  breaks: 'writes of a holder are accepted whatever its lease',
  violates: ['Q9'],
  stores: everyStore,
  load: { slow: 1 },
  perSecond: 4,
  faults: ['freeze-at-completion'],
  // Enough that somebody has room for what the frozen one held.
  workers: 3,
  seconds: 14,
  wrapDriver: rewriting(ofHolders, (sql) => sql.replaceAll(FENCE, '($1.lease_id = $2 or true)')),
}

/** The fence is the worker, not the grant: a worker that claims what it held before has two holders of one message. */
export const workerIdFence: Sabotage = {
  breaks: 'the fence is the id of the worker',
  violates: ['Q9'],
  stores: everyStore,
  load: { slow: 1 },
  perSecond: 3,
  faults: ['freeze'],
  workers: 1,
  seconds: 10,
  wrapDriver: (driver) => {
    let worker = ''
    const fenced = rewriting(ofHolders, (sql) =>
      sql.replaceAll(
        FENCE,
        (_, table: string, lease: string) =>
          `((${table}.lease_id = ${lease} or true) and ${table}.worker_id = '${worker}')`,
      ),
    )(driver)
    return interpose(fenced, {
      execute: (statements) => {
        worker = statements.map(workerOf).find((id) => id !== undefined) ?? worker
        return fenced.execute(statements)
      },
      transaction: (plan) => fenced.transaction(plan),
    })
  },
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A claim carries a lease (UUIDv4) and the worker (UUIDv7). */
function workerOf(statement: Statement): string | undefined {
  if (transitionOf(statement) !== 'claim') return undefined
  return statement.parameters.find(
    (value): value is string => typeof value === 'string' && UUID_V7.test(value),
  )
}

/** The last result counts, whoever brings it. */
export const overwriteCheckpoint: Sabotage = {
  breaks: 'a checkpoint that is there is overwritten, by former holders too',
  violates: ['W2'],
  stores: everyStore,
  load: { slowTransfer: 1 },
  perSecond: 4,
  faults: ['freeze-at-checkpoint'],
  workers: 3,
  seconds: 14,
  wrapDriver: rewriting(['record'], (sql) =>
    sql.replaceAll(FENCE, '($1.lease_id = $2 or true)').replace("pgqrs_steps.status = 'retrying'", 'true'),
  ),
}
