// What the bench knows about pgqrs without loading it: its build need not be there to be missed.
import { queueName, shortestLease, workflowName } from './pgqrs-names.js'
import { growPgqrs } from './pgqrs-rows.js'
import type { SessionOptions, System, Work, WorkerPlan } from './system.js'

const defaultConcurrency = 10
/** For handlers that do nothing, what is fetched at once counts, and not how much runs side by side. */
const drainConcurrency = 1000

const queueOf: Record<Work, string> = { messages: queueName, runs: workflowName }

function system(
  configuration: System['configuration'],
  note: string,
  concurrencyFor: (options: SessionOptions, plan: WorkerPlan) => number,
): System {
  return {
    name: 'pgqrs',
    configuration,
    note,
    kind: 'both',
    stores: ['postgres', 'sqlite'],
    packageName: '@pgqrs/core',
    shortestLease,
    supports: (scenario) =>
      configuration === 'default' && !['D', 'D4', 'W', 'W10', 'T'].includes(scenario) ? 'as best' : true,
    async install(database) {
      const { installPgqrs } = await import('./pgqrs-session.js')
      await installPgqrs(database)
    },
    async open(database, options) {
      const { openPgqrs } = await import('./pgqrs-session.js')
      return openPgqrs(database, options, {
        concurrencyFor: (plan) => concurrencyFor(options, plan),
        // What S grows is the archive.
        keep: configuration === 'default' || options.scenario === 'S',
      })
    },
    backlogSql: (work) =>
      `select count(*) from pgqrs_messages where finished_at is null and queue = '${queueOf[work]}'`,
    finishedSql: (work) =>
      // Deleted when it has succeeded.
      configuration === 'best' && work === 'messages'
        ? undefined
        : `select count(*) from pgqrs_messages where finished_at is not null and status = 'success' and queue = '${queueOf[work]}'`,
    async fill(database, count) {
      const { fillPgqrs } = await import('./pgqrs-session.js')
      await fillPgqrs(database, count)
    },
    grow: growPgqrs,
  }
}

/** pgqrs out of the box, and with what is meant to be set: how much a worker does at once, and what it keeps. */
export const pgqrs: readonly System[] = [
  system(
    'default',
    `connect(dsn), worker with its default concurrency of ${defaultConcurrency}`,
    ({ scenario }, plan) => (scenario === 'I' ? plan.concurrency : defaultConcurrency),
  ),
  system(
    'best',
    `connect(dsn), worker with a concurrency of ${drainConcurrency} for no-op messages, of 100 for runs, queue with keep: false (what has succeeded is deleted)`,
    (_, plan) =>
      plan.work === 'messages' && plan.concurrency < drainConcurrency ? drainConcurrency : plan.concurrency,
  ),
]
