// BullMQ on its PostgreSQL backend, https://docs.bullmq.io (guide/postgresql). Its tuning tips that leave durability
// alone: "size the pool" (`max` for the concurrency), "use removeOnComplete", and a concurrency of 8 to 32, at which its
// own table of numbers is best.
import { importOnDemand } from '../on-demand.js'
import { postgresOnly, unsupported } from './refusals.js'
import type { BenchDatabase, Payload, ScenarioName, Session, SessionOptions, System } from '../system.js'

interface Options {
  readonly connection: { readonly connectionString: string; readonly max?: number }
}

interface WorkerOptions extends Options {
  readonly concurrency: number
  readonly removeOnComplete?: { readonly count: number }
  readonly lockDuration?: number
  readonly stalledInterval?: number
}

interface Queue {
  on(event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady(): Promise<unknown>
  add(name: string, data: Payload): Promise<unknown>
  addBulk(jobs: readonly { name: string; data: Payload }[]): Promise<unknown>
  close(): Promise<void>
}

interface Worker {
  on(event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
}

type Handler = (job: { readonly data: Payload }) => Promise<void>

interface Module {
  readonly createPostgresBackend: unknown
  readonly Queue: new (name: string, options: Options, backend: unknown) => Queue
  readonly Worker: new (name: string, handler: Handler, options: WorkerOptions, backend: unknown) => Worker
  readonly runMigrations: (client: Client) => Promise<unknown>
}

interface Client {
  connect(): Promise<unknown>
  end(): Promise<void>
}

interface Pg {
  readonly default: { readonly Client: new (options: { connectionString: string }) => Client }
}

type Configuration = System['configuration']

const name = 'bench'
/** For R. The documentation names no shortest one; a second lets the checker, which runs as often, find it soon. */
const shortestLockMs = 1000

function workerOptions(
  options: Options,
  concurrency: number,
  scenario: ScenarioName,
  configuration: Configuration,
): WorkerOptions {
  if (scenario === 'R') {
    return { ...options, concurrency, lockDuration: shortestLockMs, stalledInterval: shortestLockMs }
  }
  if (configuration === 'default') return { ...options, concurrency }
  // I wants as many in flight as it asks for.
  const most = scenario === 'I' ? concurrency : Math.min(concurrency, 32)
  return { ...options, concurrency: most, removeOnComplete: { count: 0 } }
}

async function open(
  database: BenchDatabase,
  { scenario, concurrency }: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  const { createPostgresBackend, Queue, Worker } = await importOnDemand<Module>('bullmq')
  const connectionString = postgresOnly(database)
  const max = Math.min(Math.max(concurrency, 10), 32)
  const options = {
    connection: configuration === 'default' ? { connectionString } : { connectionString, max },
  }
  const queue = new Queue(name, options, createPostgresBackend)
  queue.on('error', (error) => console.error(error.message))
  await queue.waitUntilReady()
  const workers = new Set<Worker>()
  return {
    enqueue: (payload) => queue.add(name, payload),
    enqueueMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name, data }))),
    async startWorker(plan) {
      const handler: Handler = async ({ data }) => plan.onMessage(data)
      const settings = workerOptions(options, plan.concurrency, scenario, configuration)
      const worker = new Worker(name, handler, settings, createPostgresBackend)
      worker.on('error', (error) => console.error(error.message))
      workers.add(worker)
      await worker.waitUntilReady()
      return {
        async stop() {
          workers.delete(worker)
          await worker.close()
        },
      }
    },
    async close() {
      for (const worker of workers) await worker.close(true)
      await queue.close()
    },
  }
}

async function install(database: BenchDatabase): Promise<void> {
  const { runMigrations } = await importOnDemand<Module>('bullmq')
  const { default: pg } = await importOnDemand<Pg>('pg')
  const client = new pg.Client({ connectionString: postgresOnly(database) })
  await client.connect()
  try {
    await runMigrations(client)
  } finally {
    await client.end()
  }
}

function supports(scenario: ScenarioName, configuration: Configuration): true | string {
  const refusal = unsupported('queue', scenario)
  if (refusal !== undefined) return refusal
  return configuration === 'default' && scenario === 'R' ? 'as best' : true
}

function system(configuration: Configuration, note: string): System {
  const finished =
    configuration === 'default' ? `select count(*) from bullmq.job where state = 'completed'` : undefined
  return {
    name: 'bullmq',
    configuration,
    note,
    kind: 'queue',
    stores: ['postgres'],
    packageName: 'bullmq',
    supports: (scenario) => supports(scenario, configuration),
    shortestLease: `lockDuration and stalledInterval of ${shortestLockMs} ms; no shortest one is documented`,
    install,
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => `select count(*) from bullmq.job where state <> 'completed'`,
    finishedSql: () => finished,
  }
}

/** BullMQ on Postgres in both configurations. */
export const bullmq: readonly System[] = [
  system('default', 'Its PostgreSQL backend with a pool of ten; concurrency as asked.'),
  system(
    'best',
    'Its PostgreSQL backend with a pool of the concurrency, that 32 at most, and removeOnComplete.',
  ),
]
