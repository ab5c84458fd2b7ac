// pg-boss, https://pgboss.io. Its `work` takes "1 job every 2 seconds" by default; what speeds it up is in
// https://pgboss.io/api/workers: `localConcurrency` ("parallel processing within a single work() call"), `batchSize` with
// `burstWhenBatchFull` ("keeps fetching continuously with no delay"), and "Low-latency dispatch with LISTEN/NOTIFY"
// (`useListenNotify` and the queue's `notify`), which costs a NOTIFY in each insert, so it is used where latency is
// measured and not where throughput is.
import { importOnDemand } from '../on-demand.js'
import { postgresOnly, unsupported } from './refusals.js'
import type {
  BenchDatabase,
  Payload,
  ScenarioName,
  Session,
  SessionOptions,
  System,
  WorkerPlan,
} from '../system.js'

interface Job {
  readonly data: Payload
}

interface WorkOptions {
  readonly localConcurrency: number
  readonly batchSize?: number
  readonly burstWhenBatchFull?: boolean
  readonly pollingIntervalSeconds?: number
}

interface QueueOptions {
  readonly notify?: boolean
  readonly heartbeatSeconds?: number
}

interface PgBoss {
  on(event: 'error', listener: (error: Error) => void): unknown
  start(): Promise<unknown>
  stop(options: { graceful: boolean; close: boolean; timeout?: number }): Promise<void>
  createQueue(name: string, options?: QueueOptions): Promise<void>
  send(name: string, data: Payload): Promise<string | null>
  insert(name: string, jobs: readonly { data: Payload }[]): Promise<readonly string[] | null>
  work(name: string, options: WorkOptions, handler: (jobs: readonly Job[]) => Promise<void>): Promise<string>
  offWork(name: string, options: { wait: boolean }): Promise<void>
}

interface ConstructorOptions {
  readonly connectionString: string
  readonly supervise?: boolean
  readonly schedule?: boolean
  readonly max?: number
  readonly useListenNotify?: boolean
  readonly superviseIntervalSeconds?: number
  readonly monitorIntervalSeconds?: number
}

interface Module {
  readonly PgBoss: new (options: ConstructorOptions) => PgBoss
}

type Configuration = System['configuration']

/** Jobs per fetch of a batching worker: of 250, 500 and 1,000 the fastest on two cores. */
const batchSize = 1000
/** `heartbeatSeconds` must be at least this. */
const shortestHeartbeatSeconds = 10

/** One queue for each way of use, since `notify` and the heartbeat belong to the queue. */
const queues: Record<string, QueueOptions> = {
  bench: {},
  bench_notified: { notify: true },
  bench_watched: { heartbeatSeconds: shortestHeartbeatSeconds },
}

function queueFor(scenario: ScenarioName, configuration: Configuration): string {
  if (scenario === 'R') return 'bench_watched'
  return configuration === 'best' && (scenario === 'L' || scenario === 'I') ? 'bench_notified' : 'bench'
}

async function start(
  database: BenchDatabase,
  options: Omit<ConstructorOptions, 'connectionString'>,
): Promise<PgBoss> {
  const { PgBoss } = await importOnDemand<Module>('pg-boss')
  const boss = new PgBoss({ connectionString: postgresOnly(database), ...options })
  boss.on('error', (error) => console.error(error.message))
  await boss.start()
  return boss
}

function constructorOptions(
  { scenario, role }: SessionOptions,
  configuration: Configuration,
): Omit<ConstructorOptions, 'connectionString'> {
  if (role === 'producer') return { supervise: false, schedule: false }
  if (scenario === 'R') return { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 }
  return configuration === 'best' && (scenario === 'L' || scenario === 'I') ? { useListenNotify: true } : {}
}

/**
 * One handler in flight for each of `localConcurrency` workers; a batching worker gets its jobs many at a time and
 * completes them in one statement, so fewer of them keep the database as busy as it can be.
 */
function workOptions(
  { concurrency }: WorkerPlan,
  scenario: ScenarioName,
  configuration: Configuration,
): WorkOptions {
  if (scenario === 'R') return { localConcurrency: 1, pollingIntervalSeconds: 0.5 }
  if (configuration === 'default') return { localConcurrency: concurrency }
  if (scenario === 'L') return { localConcurrency: 1 }
  if (scenario === 'I') return { localConcurrency: concurrency }
  return { localConcurrency: Math.min(concurrency, 4), batchSize, burstWhenBatchFull: true }
}

async function open(
  database: BenchDatabase,
  options: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  const boss = await start(database, constructorOptions(options, configuration))
  const queue = queueFor(options.scenario, configuration)
  return {
    enqueue: (payload) => boss.send(queue, payload),
    enqueueMany: (payloads) =>
      boss.insert(
        queue,
        payloads.map((data) => ({ data })),
      ),
    async startWorker(plan) {
      await boss.work(queue, workOptions(plan, options.scenario, configuration), async (jobs) => {
        await Promise.all(jobs.map(async (job) => plan.onMessage(job.data)))
      })
      return { stop: () => boss.offWork(queue, { wait: true }) }
    },
    close: () => boss.stop({ graceful: false, close: true }),
  }
}

function supports(scenario: ScenarioName, configuration: Configuration): true | string {
  const refusal = unsupported('queue', scenario)
  if (refusal !== undefined) return refusal
  return configuration === 'default' && (scenario === 'E1' || scenario === 'E2' || scenario === 'R')
    ? 'as best'
    : true
}

function system(configuration: Configuration, note: string): System {
  return {
    name: 'pg-boss',
    configuration,
    note,
    kind: 'queue',
    stores: ['postgres'],
    packageName: 'pg-boss',
    supports: (scenario) => supports(scenario, configuration),
    shortestLease: `heartbeatSeconds: ${shortestHeartbeatSeconds}, its minimum, with superviseIntervalSeconds: 1`,
    async install(database) {
      const boss = await start(database, { supervise: false, schedule: false })
      for (const [name, options] of Object.entries(queues)) await boss.createQueue(name, options)
      await boss.stop({ graceful: false, close: true })
    },
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => `select count(*) from pgboss.job where state <> 'completed'`,
    finishedSql: () => `select count(*) from pgboss.job where state = 'completed'`,
  }
}

/** pg-boss in both configurations. */
export const pgBoss: readonly System[] = [
  system('default', 'localConcurrency as asked; each of its workers takes one job per poll of two seconds.'),
  system(
    'best',
    `localConcurrency 4, batchSize ${batchSize}, burstWhenBatchFull; for L and I useListenNotify and notify instead.`,
  ),
]
