// Absurd, https://earendil-works.github.io/absurd. Its npm package is the client alone: the schema, `sql/absurd.sql`, is
// published with `absurdctl` outside of npm. So it is measured where `BENCH_ABSURD_SCHEMA` names a copy of that file.
// What its worker has to set (docs/sdks/typescript): `concurrency`, `batchSize` (by default the concurrency),
// `pollInterval` (by default 0.25 s), and `claimTimeout` in whole seconds.
import { readFile } from 'node:fs/promises'
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

interface TaskContext {
  step<Result>(name: string, body: () => Promise<Result>): Promise<Result>
  sleepFor(name: string, seconds: number): Promise<void>
  heartbeat(): Promise<void>
}

interface WorkerOptions {
  readonly concurrency: number
  readonly pollInterval?: number
  readonly claimTimeout?: number
}

interface Absurd {
  registerTask(
    options: { name: string },
    handler: (input: Payload, task: TaskContext) => Promise<number>,
  ): void
  createQueue(name: string): Promise<void>
  spawn(name: string, input: Payload, options: { queue: string }): Promise<{ readonly taskID: string }>
  awaitTaskResult(id: string): Promise<{ readonly state: string }>
  startWorker(options: WorkerOptions): Promise<{ close(): Promise<void> }>
  close(): Promise<void>
}

interface Module {
  readonly Absurd: new (options: { db: Pool; queueName: string; log: unknown }) => Absurd
}

interface Pool {
  query(text: string): Promise<unknown>
  end(): Promise<void>
}

interface Pg {
  readonly default: { readonly Pool: new (options: { connectionString: string; max?: number }) => Pool }
}

type Configuration = System['configuration']

const queue = 'bench'
const task = 'bench'
const shortestClaimSeconds = 1
const pollSeconds = 0.01
const silent = { log() {}, info() {}, warn() {}, error() {} }

async function connect(database: BenchDatabase, max?: number): Promise<Pool> {
  const { default: pg } = await importOnDemand<Pg>('pg')
  return new pg.Pool({ connectionString: postgresOnly(database), ...(max === undefined ? {} : { max }) })
}

async function execute(plan: WorkerPlan, input: Payload, context: TaskContext): Promise<number> {
  if (input.kind === 'sleep') await context.sleepFor('sleep', 3600)
  if (input.kind === 'none') await plan.onMessage(input)
  for (let index = 0; index < input.steps; index++) {
    await context.step(`step_${index}`, async () => plan.onStep(input, index))
  }
  return input.steps
}

/** The same, kept alive: it renews a claim at each checkpoint and when it is told to, and not by itself. */
async function executeWithHeartbeat(plan: WorkerPlan, input: Payload, context: TaskContext): Promise<number> {
  const beat = (): void => {
    context.heartbeat().catch((error: unknown) => console.error(error))
  }
  const timer = setInterval(beat, (shortestClaimSeconds * 1000) / 3)
  try {
    return await execute(plan, input, context)
  } finally {
    clearInterval(timer)
  }
}

function workerOptions(
  concurrency: number,
  scenario: ScenarioName,
  configuration: Configuration,
): WorkerOptions {
  const asked = { concurrency }
  if (scenario === 'R') return { ...asked, pollInterval: pollSeconds, claimTimeout: shortestClaimSeconds }
  // A poll that is short costs most when there is nothing to do, which is what I measures.
  return configuration === 'default' || scenario === 'I' ? asked : { ...asked, pollInterval: pollSeconds }
}

async function open(
  database: BenchDatabase,
  { scenario }: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  const { Absurd } = await importOnDemand<Module>('absurd-sdk')
  const pool = await connect(database, configuration === 'default' ? undefined : 20)
  const app = new Absurd({ db: pool, queueName: queue, log: silent })
  const workers = new Set<() => Promise<void>>()
  return {
    enqueue: (payload) => app.spawn(task, payload, { queue }),
    async trigger(payload) {
      const { taskID } = await app.spawn(task, payload, { queue })
      return {
        async result() {
          const result = await app.awaitTaskResult(taskID)
          if (result.state !== 'completed') throw new Error(`the task is ${result.state}`)
          return result
        },
      }
    },
    async startWorker(plan) {
      const body = scenario === 'R' ? executeWithHeartbeat : execute
      app.registerTask({ name: task }, (input, context) => body(plan, input, context))
      const worker = await app.startWorker(workerOptions(plan.concurrency, scenario, configuration))
      const stop = async (): Promise<void> => {
        if (workers.delete(stop)) await worker.close()
      }
      workers.add(stop)
      return { stop }
    },
    async close() {
      for (const stop of [...workers]) await stop()
      await app.close()
      await pool.end()
    },
  }
}

function supports(scenario: ScenarioName, configuration: Configuration): true | string {
  if (process.env['BENCH_ABSURD_SCHEMA'] === undefined) {
    return 'its schema is not in npm; BENCH_ABSURD_SCHEMA can name a copy of sql/absurd.sql'
  }
  if (scenario === 'E2') return 'has no call for many'
  const refusal = unsupported('engine', scenario)
  if (refusal !== undefined) return refusal
  return configuration === 'default' && scenario === 'R' ? 'as best' : true
}

async function install(database: BenchDatabase): Promise<void> {
  const file = process.env['BENCH_ABSURD_SCHEMA']
  if (file === undefined) throw new Error('BENCH_ABSURD_SCHEMA names no schema')
  const { Absurd } = await importOnDemand<Module>('absurd-sdk')
  const pool = await connect(database)
  await pool.query(await readFile(file, 'utf8'))
  const app = new Absurd({ db: pool, queueName: queue, log: silent })
  await app.createQueue(queue)
  await app.close()
  await pool.end()
}

function system(configuration: Configuration, note: string): System {
  return {
    name: 'absurd',
    configuration,
    note,
    kind: 'engine',
    stores: ['postgres'],
    packageName: 'absurd-sdk',
    supports: (scenario) => supports(scenario, configuration),
    shortestLease: `claimTimeout: ${shortestClaimSeconds} s, its unit, with heartbeat() three times as often`,
    install,
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => `select count(*) from absurd.t_${queue} where state <> 'completed'`,
    finishedSql: () => `select count(*) from absurd.t_${queue} where state = 'completed'`,
  }
}

/** Absurd in both configurations. */
export const absurd: readonly System[] = [
  system('default', 'Concurrency as asked, a poll every 250 ms.'),
  system('best', `A poll every ${pollSeconds * 1000} ms (not for I), a pool of 20.`),
]
