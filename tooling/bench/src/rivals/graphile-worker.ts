// Graphile Worker, https://worker.graphile.org. The page Performance gives the fastest configuration it measured
// (`concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0`, with
// `refetchDelay: { durationMs: 10 }` in the repository's perfTest/graphile.config.js) and recommends batching "if you
// have a high throughput job queue".
import { importOnDemand } from '../on-demand.js'
import { postgresOnly, unsupported } from './refusals.js'
import type { BenchDatabase, Payload, ScenarioName, Session, SessionOptions, System } from '../system.js'

interface WorkerUtils {
  migrate(): Promise<void>
  addJob(task: string, payload: Payload): Promise<unknown>
  addJobs(jobs: readonly { identifier: string; payload: Payload }[]): Promise<unknown>
  release(): Promise<void>
}

interface PresetOptions {
  readonly connectionString: string
  readonly concurrentJobs?: number
  readonly maxPoolSize?: number
  readonly localQueue?: { readonly size: number; readonly refetchDelay?: { readonly durationMs: number } }
  readonly completeJobBatchDelay?: number
  readonly failJobBatchDelay?: number
}

interface SharedOptions {
  readonly preset: { readonly worker: PresetOptions }
  readonly logger: unknown
}

interface RunOptions extends SharedOptions {
  readonly taskList: Record<string, (payload: Payload) => void | Promise<void>>
  readonly noHandleSignals: boolean
}

interface Module {
  readonly Logger: new (factory: () => () => void) => unknown
  readonly makeWorkerUtils: (options: SharedOptions) => Promise<WorkerUtils>
  readonly run: (options: RunOptions) => Promise<{ stop(): Promise<void> }>
}

type Configuration = System['configuration']

const task = 'bench'

const fastest = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
}

function preset(
  connectionString: string,
  { concurrency, role, scenario }: SessionOptions,
  configuration: Configuration,
): PresetOptions {
  if (role === 'producer') return { connectionString }
  // A fetch delay and what is held locally would be seen by L, and I wants as many in flight as it asks for.
  const alone = scenario === 'L' || scenario === 'I'
  if (configuration === 'default') return { connectionString, concurrentJobs: concurrency }
  return {
    connectionString,
    concurrentJobs: alone ? concurrency : Math.min(concurrency, fastest.concurrentJobs),
    maxPoolSize: fastest.maxPoolSize,
    localQueue: alone ? { size: -1 } : fastest.localQueue,
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  }
}

async function open(
  database: BenchDatabase,
  options: SessionOptions,
  configuration: Configuration,
): Promise<Session> {
  const { Logger, makeWorkerUtils, run } = await importOnDemand<Module>('graphile-worker')
  const worker = preset(postgresOnly(database), options, configuration)
  const shared: SharedOptions = { preset: { worker }, logger: new Logger(() => () => undefined) }
  const utils = await makeWorkerUtils(shared)
  const stops = new Set<() => Promise<void>>()
  return {
    enqueue: (payload) => utils.addJob(task, payload),
    enqueueMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: task, payload }))),
    async startWorker({ onMessage }) {
      const runner = await run({ ...shared, taskList: { [task]: onMessage }, noHandleSignals: true })
      const stop = async (): Promise<void> => {
        if (stops.delete(stop)) await runner.stop()
      }
      stops.add(stop)
      return { stop }
    },
    async close() {
      for (const stop of [...stops]) await stop()
      await utils.release()
    },
  }
}

function supports(scenario: ScenarioName, configuration: Configuration): true | string {
  const refusal = unsupported('queue', scenario)
  if (refusal !== undefined) return refusal
  if (scenario === 'R')
    return 'a job of a killed worker is locked for four hours (recovery is in its Pro edition)'
  return configuration === 'default' && (scenario === 'E1' || scenario === 'E2') ? 'as best' : true
}

function system(configuration: Configuration, note: string): System {
  return {
    name: 'graphile-worker',
    configuration,
    note,
    kind: 'queue',
    stores: ['postgres'],
    packageName: 'graphile-worker',
    supports: (scenario) => supports(scenario, configuration),
    shortestLease: 'four hours, fixed',
    async install(database) {
      const { Logger, makeWorkerUtils } = await importOnDemand<Module>('graphile-worker')
      const worker = { connectionString: postgresOnly(database) }
      const utils = await makeWorkerUtils({ preset: { worker }, logger: new Logger(() => () => undefined) })
      await utils.migrate()
      await utils.release()
    },
    open: (database, options) => open(database, options, configuration),
    backlogSql: () => 'select count(*) from graphile_worker.jobs',
    // It deletes a job that has succeeded.
    finishedSql: () => undefined,
  }
}

/** Graphile Worker in both configurations. */
export const graphileWorker: readonly System[] = [
  system('default', 'concurrentJobs as asked; every worker fetches and completes its jobs one by one.'),
  system(
    'best',
    '24 concurrentJobs, a pool of 25, localQueue of 500 with refetchDelay 10 ms (none for L and I), completeJobBatchDelay 0.',
  ),
]
