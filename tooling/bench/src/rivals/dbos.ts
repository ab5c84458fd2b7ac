// DBOS Transact, https://docs.dbos.dev/typescript. Its first pages start a workflow in the process that will run it
// (`DBOS.startWorkflow`, here "best": it is the fastest by far), or enqueue it on a queue that every process polls once a
// second (tutorials/queue-tutorial, here "default"). What else is documented: `minPollingIntervalMs` of a queue, the
// `systemDatabasePoolSize` (10), `pollingIntervalMs` of a wait. Processes without its Conductor need an `executorID` each.
import { randomUUID } from 'node:crypto'
import { importOnDemand } from '../on-demand.js'
import { postgresOnly } from './refusals.js'
import type {
  BenchDatabase,
  Payload,
  ScenarioName,
  Session,
  SessionOptions,
  System,
  WorkerPlan,
} from '../system.js'

interface Handle {
  getResult(options?: { pollingIntervalMs: number }): Promise<unknown>
}

interface Logger {
  info(entry: unknown): void
  debug(entry: unknown): void
  warn(entry: unknown): void
  error(entry: unknown): void
}

interface Config {
  readonly name: string
  readonly systemDatabaseUrl: string
  readonly systemDatabasePoolSize?: number
  readonly applicationVersion: string
  readonly executorID: string
  readonly logger: Logger
}

interface QueueOptions {
  readonly workerConcurrency?: number
  readonly minPollingIntervalMs?: number
}

type Workflow = (payload: Payload) => Promise<number>

interface Dbos {
  setConfig(config: Config): void
  launch(): Promise<void>
  shutdown(options: { deregister: boolean }): Promise<void>
  registerWorkflow(workflow: Workflow, options: { name: string }): Workflow
  registerQueue(name: string, options: QueueOptions): Promise<unknown>
  startWorkflow(workflow: Workflow, options: { queueName?: string }): (payload: Payload) => Promise<Handle>
  runStep(body: () => Promise<number>, options: { name: string }): Promise<number>
  sleepSeconds(seconds: number): Promise<void>
}

interface Client {
  enqueue(options: { queueName: string; workflowName: string }, payload: Payload): Promise<Handle>
  destroy(): Promise<void>
}

interface ClientOptions {
  readonly systemDatabaseUrl: string
  readonly systemDatabasePoolSize?: number
  readonly applicationName: string
  readonly logger: Logger
}

interface Module {
  readonly DBOS: Dbos
  readonly DBOSClient: { create(options: ClientOptions): Promise<Client> }
}

type Configuration = System['configuration']

const name = 'bench'
const narrowQueueName = 'bench'
/** For I, which wants as many in flight as it asks for. */
const wideQueueName = 'bench_wide'
const poolSize = 20
/** As short as its polls can be without being most of the load. */
const pollMs = 10
/** Without this limit a process claims all of a backlog at once, and is busy with that for seconds. */
const workerConcurrency = 100

const logger: Logger = { info() {}, debug() {}, warn() {}, error: (entry) => console.error(entry) }

function poolOf(configuration: Configuration): { systemDatabasePoolSize?: number } {
  return configuration === 'default' ? {} : { systemDatabasePoolSize: poolSize }
}

async function loadWith(database: BenchDatabase, configuration: Configuration): Promise<Dbos> {
  const { DBOS } = await importOnDemand<Module>('@dbos-inc/dbos-sdk')
  DBOS.setConfig({
    name,
    systemDatabaseUrl: postgresOnly(database),
    applicationVersion: '1',
    executorID: randomUUID(),
    logger,
    ...poolOf(configuration),
  })
  return DBOS
}

function workflow(DBOS: Dbos, plan: WorkerPlan): Workflow {
  return async (payload) => {
    if (payload.kind === 'sleep') await DBOS.sleepSeconds(3600)
    if (payload.kind === 'none') await plan.onMessage(payload)
    for (let index = 0; index < payload.steps; index++) {
      await DBOS.runStep(async () => plan.onStep(payload, index), { name: `step_${index}` })
    }
    return payload.steps
  }
}

interface Launched {
  readonly start: (payload: Payload) => Promise<Handle>
  readonly stop: () => Promise<void>
}

async function launch(
  database: BenchDatabase,
  configuration: Configuration,
  queueName: string,
  plan: WorkerPlan,
): Promise<Launched> {
  const DBOS = await loadWith(database, configuration)
  const registered = DBOS.registerWorkflow(workflow(DBOS, plan), { name })
  await DBOS.launch()
  const place = configuration === 'best' ? {} : { queueName }
  return {
    start: (payload) => DBOS.startWorkflow(registered, place)(payload),
    stop: () => DBOS.shutdown({ deregister: false }),
  }
}

async function open(
  database: BenchDatabase,
  { scenario }: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  const queueName = scenario === 'I' ? wideQueueName : narrowQueueName
  const target = { queueName, workflowName: name }
  const { DBOSClient } = await importOnDemand<Module>('@dbos-inc/dbos-sdk')
  const systemDatabaseUrl = postgresOnly(database)
  const client = await DBOSClient.create({
    systemDatabaseUrl,
    applicationName: name,
    logger,
    ...poolOf(configuration),
  })
  let launched: Launched | undefined
  const stop = async (): Promise<void> => {
    const running = launched
    launched = undefined
    await running?.stop()
  }
  const wait = configuration === 'default' ? undefined : { pollingIntervalMs: pollMs }
  return {
    enqueue: (payload) => client.enqueue(target, payload),
    async trigger(payload) {
      const handle = await (launched?.start(payload) ?? client.enqueue(target, payload))
      return { result: () => handle.getResult(wait) }
    },
    async startWorker(plan) {
      launched = await launch(database, configuration, queueName, plan)
      return { stop }
    },
    async close() {
      await stop()
      await client.destroy()
    },
  }
}

function supports(scenario: ScenarioName): true | string {
  if (scenario === 'E2') return 'has no call for many'
  if (scenario === 'T') {
    return 'its data source packages in npm (4.x, Prisma 5.1.10) call functions that its SDK 5.3.0 no longer has'
  }
  if (scenario === 'R')
    return 'has no lease: another process never takes over without its proprietary Conductor'
  return true
}

function system(configuration: Configuration, note: string): System {
  return {
    name: 'dbos',
    configuration,
    note,
    kind: 'engine',
    stores: ['postgres'],
    packageName: '@dbos-inc/dbos-sdk',
    supports,
    shortestLease: 'none',
    async install(database) {
      const DBOS = await loadWith(database, configuration)
      await DBOS.launch()
      const tuned = { workerConcurrency, minPollingIntervalMs: pollMs }
      await DBOS.registerQueue(narrowQueueName, configuration === 'best' ? tuned : {})
      await DBOS.registerQueue(wideQueueName, {})
      await DBOS.shutdown({ deregister: true })
    },
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => `select count(*) from dbos.workflow_status where status <> 'SUCCESS'`,
    finishedSql: () => `select count(*) from dbos.workflow_status where status = 'SUCCESS'`,
  }
}

/** DBOS Transact in both configurations. */
export const dbos: readonly System[] = [
  system('default', 'Runs go through its queue, polled once a second; a pool of ten.'),
  system(
    'best',
    `Runs start in the process that triggers them; messages go through its queue, workerConcurrency ${workerConcurrency}, polled every ${pollMs} ms; ` +
      `a pool of ${poolSize}.`,
  ),
]
