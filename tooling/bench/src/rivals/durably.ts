// durably, https://coji.github.io/durably. Defaults: one run at a time, a poll every second. Its page on deployment
// raises `maxConcurrentRuns` "to process multiple runs concurrently" and, "for responsive UX", sets
// `pollingIntervalMs: 100, leaseRenewIntervalMs: 500, leaseMs: 3000`, the shortest lease it shows. Of its two local SQLite
// dialects it calls better-sqlite3 the "slightly faster".
import Database from 'better-sqlite3'
import { importOnDemand } from '../on-demand.js'
import { unsupported } from './refusals.js'
import type {
  BenchDatabase,
  Payload,
  ScenarioName,
  Session,
  SessionOptions,
  System,
  WorkerPlan,
} from '../system.js'

interface StepContext {
  run<Result>(name: string, body: () => Result | Promise<Result>): Promise<Result>
}

interface JobHandle {
  trigger(input: Payload): Promise<{ readonly id: string }>
  batchTrigger(inputs: readonly { input: Payload }[]): Promise<unknown>
}

interface Durably {
  readonly jobs: { readonly bench: JobHandle }
  readonly db: { destroy(): Promise<void> }
  migrate(): Promise<void>
  start(): void
  stop(): Promise<void>
  waitForRun(id: string): Promise<unknown>
}

interface Intervals {
  readonly pollingIntervalMs?: number
  readonly maxConcurrentRuns?: number
  readonly leaseRenewIntervalMs?: number
  readonly leaseMs?: number
}

interface JobConfig {
  readonly name: string
  readonly input: unknown
  readonly output: unknown
  run(step: StepContext, input: Payload): Promise<number>
}

interface Module {
  readonly defineJob: (config: JobConfig) => unknown
  readonly createDurably: (options: Intervals & { dialect: unknown; jobs: { bench: unknown } }) => Durably
}

interface Kysely {
  readonly PostgresDialect: new (options: { pool: unknown }) => unknown
  readonly SqliteDialect: new (options: { database: Database.Database }) => unknown
}

interface Pg {
  readonly default: { readonly Pool: new (options: { connectionString: string; max?: number }) => unknown }
}

interface Zod {
  readonly z: { custom(): unknown; number(): unknown }
}

type Configuration = System['configuration']

/** Shorter than the 100 ms that its documentation shows, in its favour. */
const pollMs = 10
const lease = { leaseMs: 3000, leaseRenewIntervalMs: 500 }

async function dialect(database: BenchDatabase, configuration: Configuration): Promise<unknown> {
  const { PostgresDialect, SqliteDialect } = await importOnDemand<Kysely>('kysely')
  if (database.store === 'sqlite') {
    const file = new Database(database.file)
    // What its own tests set; its documentation speaks of WAL and leaves it to the caller.
    if (configuration === 'best') file.pragma('journal_mode = WAL')
    return new SqliteDialect({ database: file })
  }
  const { default: pg } = await importOnDemand<Pg>('pg')
  const size = configuration === 'default' ? {} : { max: 20 }
  return new PostgresDialect({ pool: new pg.Pool({ connectionString: database.dsn, ...size }) })
}

function intervals({ scenario, concurrency }: SessionOptions, configuration: Configuration): Intervals {
  const maxConcurrentRuns = Math.min(Math.max(concurrency, 1), 1000)
  if (scenario === 'R') return { maxConcurrentRuns, pollingIntervalMs: pollMs, ...lease }
  // A poll that is short costs most when there is nothing to do, which is what I measures.
  if (configuration === 'default' || scenario === 'I') return { maxConcurrentRuns }
  return { maxConcurrentRuns, pollingIntervalMs: pollMs }
}

async function create(
  database: BenchDatabase,
  options: SessionOptions,
  configuration: Configuration,
  run: JobConfig['run'],
): Promise<Durably> {
  const { createDurably, defineJob } = await importOnDemand<Module>('@coji/durably')
  const { z } = await importOnDemand<Zod>('zod')
  const bench = defineJob({ name: 'bench', input: z.custom(), output: z.number(), run })
  return createDurably({
    dialect: await dialect(database, configuration),
    jobs: { bench },
    ...intervals(options, configuration),
  })
}

async function execute(plan: WorkerPlan | undefined, step: StepContext, input: Payload): Promise<number> {
  if (plan === undefined) throw new Error('no worker was asked for')
  if (input.kind === 'none') await plan.onMessage(input)
  for (let index = 0; index < input.steps; index++) {
    await step.run(`step_${index}`, () => plan.onStep(input, index))
  }
  return input.steps
}

async function open(
  database: BenchDatabase,
  options: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  let plan: WorkerPlan | undefined
  const durably = await create(database, options, configuration, (step, input) => execute(plan, step, input))
  // It takes triggers only when it has looked at its tables.
  await durably.migrate()
  const { bench } = durably.jobs
  return {
    enqueue: (payload) => bench.trigger(payload),
    enqueueMany: (payloads) => bench.batchTrigger(payloads.map((input) => ({ input }))),
    async trigger(payload) {
      if (payload.kind === 'sleep') throw new Error('it has no durable sleep')
      const { id } = await bench.trigger(payload)
      return { result: () => durably.waitForRun(id) }
    },
    startWorker(asked) {
      plan = asked
      durably.start()
      return Promise.resolve({ stop: () => durably.stop() })
    },
    async close() {
      await durably.stop()
      await durably.db.destroy()
    },
  }
}

function supports(scenario: ScenarioName, configuration: Configuration): true | string {
  const refusal = unsupported('engine', scenario)
  if (refusal !== undefined) return refusal
  return configuration === 'default' && scenario === 'R' ? 'as best' : true
}

function system(configuration: Configuration, note: string): System {
  return {
    name: 'durably',
    configuration,
    note,
    kind: 'engine',
    stores: ['postgres', 'sqlite'],
    packageName: '@coji/durably',
    supports: (scenario) => supports(scenario, configuration),
    shortestLease: `leaseMs: ${lease.leaseMs}, the shortest that its documentation shows`,
    async install(database) {
      const options: SessionOptions = { scenario: 'E1', role: 'producer', work: 'messages', concurrency: 1 }
      const durably = await create(database, options, configuration, () => Promise.resolve(0))
      await durably.migrate()
      await durably.db.destroy()
    },
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => `select count(*) from durably_runs where status <> 'completed'`,
    finishedSql: () => `select count(*) from durably_runs where status = 'completed'`,
  }
}

/** durably on both of its databases, in both configurations. */
export const durably: readonly System[] = [
  system(
    'default',
    'maxConcurrentRuns as asked, a poll every second; on SQLite the better-sqlite3 dialect of Kysely.',
  ),
  system(
    'best',
    `A poll every ${pollMs} ms (not for I), on Postgres a pool of 20, on SQLite its journal in WAL mode.`,
  ),
]
