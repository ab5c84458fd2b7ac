// OpenWorkflow, https://openworkflow.dev/docs. Its workers (docs/workers, docs/production) have one knob, `concurrency`;
// poll, lease (30 s) and the poll of `result()` (1 s) are constants. So it has one configuration. Its own benchmark
// (benchmarks/basic) has a concurrency of 100.
import { importOnDemand } from '../on-demand.js'
import { installNodeSqlite } from './node-sqlite.js'
import { unsupported } from './refusals.js'
import type { BenchDatabase, Payload, Session, System, WorkerPlan } from '../system.js'

interface Backend {
  stop(): Promise<void>
}

interface StepApi {
  run<Result>(options: { name: string }, body: () => Result | Promise<Result>): Promise<Result>
  sleep(name: string, duration: string): Promise<void>
}

type WorkflowFunction = (context: { readonly input: Payload; readonly step: StepApi }) => Promise<number>

interface Handle {
  result(): Promise<unknown>
}

interface Client {
  defineWorkflow(spec: { name: string }, body: WorkflowFunction): unknown
  runWorkflow(spec: { name: string }, input: Payload): Promise<Handle>
  newWorker(options: { concurrency: number }): { start(): Promise<void>; stop(): Promise<void> }
}

interface Module {
  readonly OpenWorkflow: new (options: { backend: Backend }) => Client
}

interface PostgresModule {
  readonly BackendPostgres: { connect(dsn: string, options?: { runMigrations: boolean }): Promise<Backend> }
}

interface SqliteModule {
  readonly BackendSqlite: { connect(file: string): Backend }
}

const spec = { name: 'bench' }

async function connect(database: BenchDatabase, runMigrations: boolean): Promise<Backend> {
  if (database.store === 'postgres') {
    const { BackendPostgres } = await importOnDemand<PostgresModule>('openworkflow/postgres')
    return BackendPostgres.connect(database.dsn, { runMigrations })
  }
  installNodeSqlite()
  const { BackendSqlite } = await importOnDemand<SqliteModule>('openworkflow/sqlite')
  return BackendSqlite.connect(database.file)
}

function workflow(plan: WorkerPlan): WorkflowFunction {
  return async ({ input, step }) => {
    if (input.kind === 'sleep') await step.sleep('sleep', '1h')
    if (input.kind === 'none') await plan.onMessage(input)
    for (let index = 0; index < input.steps; index++) {
      await step.run({ name: `step_${index}` }, () => plan.onStep(input, index))
    }
    return input.steps
  }
}

async function open(database: BenchDatabase): Promise<Session> {
  const { OpenWorkflow } = await importOnDemand<Module>('openworkflow')
  const backend = await connect(database, false)
  const client = new OpenWorkflow({ backend })
  const stops = new Set<() => Promise<void>>()
  return {
    enqueue: (payload) => client.runWorkflow(spec, payload),
    trigger: (payload) => client.runWorkflow(spec, payload),
    async startWorker(plan) {
      client.defineWorkflow(spec, workflow(plan))
      const worker = client.newWorker({ concurrency: plan.concurrency })
      await worker.start()
      const stop = async (): Promise<void> => {
        if (stops.delete(stop)) await worker.stop()
      }
      stops.add(stop)
      return { stop }
    },
    async close() {
      for (const stop of [...stops]) await stop()
      await backend.stop()
    },
  }
}

const table = { postgres: 'openworkflow.workflow_runs', sqlite: 'workflow_runs' }

/** OpenWorkflow on both of its databases. */
export const openWorkflow: readonly System[] = [
  {
    name: 'openworkflow',
    configuration: 'best',
    note:
      'Concurrency as asked, which is all that can be set. On SQLite, which needs the node:sqlite of Node 22.5, ' +
      'better-sqlite3 stands in for that module.',
    kind: 'engine',
    stores: ['postgres', 'sqlite'],
    packageName: 'openworkflow',
    supports: (scenario) =>
      scenario === 'E2' ? 'has no call for many' : (unsupported('engine', scenario) ?? true),
    shortestLease: '30 s, fixed',
    async install(database) {
      const backend = await connect(database, true)
      await backend.stop()
    },
    open,
    backlogSql: (_work, store) =>
      `select count(*) from ${table[store]} where status not in ('completed', 'succeeded')`,
    finishedSql: (_work, store) =>
      `select count(*) from ${table[store]} where status in ('completed', 'succeeded')`,
  },
]
