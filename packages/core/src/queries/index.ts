import type { SqlDialect } from '../db/dialect.js'
import { claimQueries } from './claims.js'
import { listQueries } from './lists.js'
import { enqueueQueries } from './enqueue.js'
import { leaseQueries } from './leases.js'
import { messageQueries } from './messages.js'
import { queueQueries } from './queues.js'
import { stepQueries } from './steps.js'
import { versionQueries } from './versions.js'
import { workerQueries } from './workers.js'

/** Every query of pgqrs. */
export type Queries = ReturnType<typeof compileFor>

const compiled = new WeakMap<SqlDialect, Queries>()

/** Every query of pgqrs, compiled once for a dialect. */
export function queriesFor(dialect: SqlDialect): Queries {
  let queries = compiled.get(dialect)
  if (queries === undefined) {
    queries = compileFor(dialect)
    compiled.set(dialect, queries)
  }
  return queries
}

function compileFor(dialect: SqlDialect) {
  return {
    claims: claimQueries(dialect),
    lists: listQueries(dialect),
    messages: { ...enqueueQueries(dialect), ...leaseQueries(dialect), ...messageQueries(dialect) },
    queues: queueQueries(dialect),
    steps: stepQueries(dialect),
    versions: versionQueries(dialect),
    workers: workerQueries(dialect),
  }
}
