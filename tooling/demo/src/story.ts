import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunHandle } from '@pgqrs/core'
import type { DemoDatabase } from './database.js'
import { effectsOn } from './effects.js'
import { listFiles, sizeOf } from './files.js'
import { UsageError, type DemoOptions } from './options.js'
import { check, gather, type Outcome } from './proof.js'
import type { Screen } from './screen.js'
import { Show, type Which } from './show.js'
import type { Told, WorkerSetup } from './worker.js'
import { startWorker, type WorkerProcess } from './worker-process.js'
import { archiveFiles, type Archive, type Names } from './workflow.js'

/** Where the story plays. */
export interface Stage {
  readonly options: DemoOptions
  /** Temporary folder for everything that is a file. */
  readonly folder: string
  /** The files to archive, as the demo has found them. */
  readonly paths: readonly string[]
  readonly screen: Screen
  /** Aborts when the demo is to end early. */
  readonly interrupted: AbortSignal
}

const MOST_FILES = 250
const MOST_BYTES = 20_000_000
/** So long the work of hashing takes at most, over both processes, in ms. */
const HASHING_MS = 4000
const SLOWEST_BODY_MS = 180
const PARALLEL = 4
/** For the eyes: between the moment in which everything hangs and the kill. */
const SUSPENSE_MS = 600
const PATIENCE = '60s'

/**
 * The files of the directory.
 * @throws UsageError when there are none, or more than anybody would want to watch.
 */
export async function look(directory: string): Promise<string[]> {
  const paths = await listFiles(directory).catch((error: unknown) => {
    throw new UsageError(`${directory} cannot be read: ${(error as Error).message}`)
  })
  const sizes = await Promise.all(paths.map((path) => sizeOf(directory, path)))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  if (paths.length === 0) throw new UsageError(`There is no file to archive in ${directory}.`)
  if (paths.length <= MOST_FILES && bytes <= MOST_BYTES) return paths
  const megabytes = Math.ceil(bytes / 1e6)
  throw new UsageError(
    `${directory} has ${paths.length} files of ${megabytes} MB together. The demo is for watching: give it at most ` +
      `${MOST_FILES} files and ${MOST_BYTES / 1e6} MB.`,
  )
}

/** Plays the whole story and proves it. Resolves to whether every check holds. */
export async function play<Tx>(
  stage: Stage & { readonly dsn: string },
  database: DemoDatabase<Tx>,
): Promise<boolean> {
  const { options, screen, interrupted } = stage
  const story = new Story(stage, database, namesFor(options))
  try {
    return await Promise.race([story.tell(), whenAborted(interrupted)])
  } finally {
    await Promise.all(story.workers.map((worker) => worker.stop()))
    if (story.triggered && options.dsn !== undefined && !options.keep) {
      await clearAway(database, story.names).catch((error: unknown) => {
        screen.line(`  The run and its queues could not be removed: ${(error as Error).message}`)
      })
    }
  }
}

/** In a database that others use too, the names are this run's own. */
function namesFor({ dsn }: DemoOptions): Names {
  const suffix = dsn === undefined ? '' : `.${randomUUID().slice(0, 8)}`
  return { workflow: `archive_files${suffix}`, notifications: `notifications${suffix}` }
}

class Story<Tx> {
  /** Every process that was started. */
  readonly workers: WorkerProcess[] = []
  /** There is something in the database. */
  triggered = false
  private readonly show: Show
  private readonly bodies: string
  private readonly archives: string
  private readonly bodyMs: number

  constructor(
    private readonly stage: Stage & { readonly dsn: string },
    private readonly database: DemoDatabase<Tx>,
    readonly names: Names,
  ) {
    this.show = new Show(stage.screen, stage.paths)
    this.bodies = join(stage.folder, 'bodies.jsonl')
    this.archives = join(stage.folder, 'archives')
    this.bodyMs = Math.min(SLOWEST_BODY_MS, (HASHING_MS * PARALLEL) / (2 * stage.paths.length))
  }

  async tell(): Promise<boolean> {
    const { stage, database, show } = this
    const { options } = stage
    show.title({ options, store: database.store, names: this.names, bodyMs: this.bodyMs })
    await mkdir(this.archives)
    await database.store.admin.install()
    await database.createTable()

    const run = await this.trigger()
    const finished = run.result({ timeout: PATIENCE })
    const killed = await this.untilKilled(finished)
    const recorded = (await run.steps()).map((step) => step.name)
    const { visibleAt: lease } = await database.store.admin.runs.get(run.id)
    show.killed(recorded.length, lease)

    const successor = this.start('second', undefined)
    show.waiting(lease)
    const result = await Promise.race([finished, successor.failed])
    await successor.stop()

    const outcome: Outcome = {
      runId: run.id,
      directory: stage.options.directory,
      names: this.names,
      bodies: this.bodies,
      archives: this.archives,
      killed: killed.pid,
      successor: successor.pid,
      recordedAtKill: recorded,
      result,
    }
    const checks = check(await gather(outcome, database))
    show.proof(checks)
    return checks.every(({ wrong }) => wrong.length === 0)
  }

  private async trigger(): Promise<RunHandle<Archive>> {
    const { directory } = this.stage.options
    const workflow = archiveFiles(effectsOn(this.database, this.names), this.names)
    const request = { directory, archive: join(this.archives, 'archive.zip') }
    this.triggered = true
    const run = await this.database.store.trigger(workflow, request, { key: `demo-${randomUUID()}` })
    this.show.demo(`triggered run ${run.id}`)
    return run
  }

  /** The first process works until half of the files' steps are recorded and others are in flight; then it dies. */
  private async untilKilled(finished: Promise<Archive>): Promise<WorkerProcess> {
    const { length } = this.stage.paths
    const hangAfter = 1 + length
    let recorded = 0
    let begun = 0
    let midway = (): void => undefined
    const reached = new Promise<void>((resolve) => (midway = resolve))
    const worker = this.start('first', hangAfter, ({ type }) => {
      if (type === 'step_started') begun++
      if (type === 'step_recorded') recorded++
      if (recorded === hangAfter && begun - recorded === Math.min(length, PARALLEL)) midway()
    })
    await Promise.race([reached, worker.failed, finished])
    await sleep(SUSPENSE_MS)
    await worker.kill()
    return worker
  }

  private start(
    which: Which,
    hangAfter: number | undefined,
    hear: (told: Told) => void = () => undefined,
  ): WorkerProcess {
    const { dsn, interrupted } = this.stage
    interrupted.throwIfAborted()
    const pace = { bodyMs: this.bodyMs, hangAfter }
    const setup: WorkerSetup = { dsn, names: this.names, bodies: this.bodies, pace }
    const worker = startWorker(setup, (told) => {
      if (interrupted.aborted) return
      this.show.told(which, told)
      hear(told)
    })
    this.workers.push(worker)
    this.show.started(which, worker.pid)
    return worker
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
    if (signal.aborted) reject(signal.reason as Error)
  })
}

/** Removes the run and its queues. What a dead process held can be removed when its lease has lapsed. */
async function clearAway<Tx>({ store }: DemoDatabase<Tx>, names: Names): Promise<void> {
  const { queues } = store.admin
  for (const name of Object.values(names) as string[]) {
    if (!(await queues.list()).some((queue) => queue.name === name)) continue
    while ((await queues.metrics(name)).leased > 0) await sleep(100)
    await queues.delete(name, { force: true })
  }
}
