// What the bench demands of a system under test. An adapter is one file that exports its `System`s; the scenarios know
// nothing else about it. Adapters of rivals live in `rivals/`, whose `index.ts` exports `rivals: readonly System[]`;
// pgqrs's own and the hand-written limit are beside this file.

/** The databases a system can stand on. */
export type StoreName = 'postgres' | 'sqlite'

/** An empty database of its own for every system, scenario and round. */
export type BenchDatabase =
  | { readonly store: 'postgres'; /** `postgres://user:password@host:port/name` */ readonly dsn: string }
  | { readonly store: 'sqlite'; /** An absolute path; the file need not exist yet. */ readonly file: string }

/** The short names of the scenarios, as on the command line. */
export const scenarioNames = ['E1', 'E2', 'D', 'D4', 'L', 'W', 'W10', 'WL', 'T', 'R', 'S', 'I'] as const

/** One of `scenarioNames`. */
export type ScenarioName = (typeof scenarioNames)[number]

/** Messages go to handlers; runs are executions of a workflow. An engine without messages gives runs without steps. */
export type Work = 'messages' | 'runs'

/**
 * What is enqueued, and the input of every run. Its JSON has 80 bytes, always (`payloadFor` makes it), so it must be
 * handed over as it is, whole and untouched.
 */
export interface Payload {
  /** Counts up from 0 within a database. */
  readonly n: number
  /** For runs: what the run does. `none`: it returns at once. */
  readonly kind: 'none' | 'steps' | 'transaction' | 'sleep'
  /** For `kind: 'steps'`: how many steps, one after the other. */
  readonly steps: number
  readonly text: string
}

/** What the bench wants to be called back for. All three are called in the process of the worker. */
export interface WorkerPlan {
  readonly work: Work
  /** How many handlers or runs may be in flight in this process. */
  readonly concurrency: number
  /** Call it first thing in the handler of a message and await what it returns, if it is a promise. */
  readonly onMessage: (payload: Payload) => void | Promise<void>
  /**
   * The body of a step: call it inside of the step, with its index from 0, await it, and record what it returns (a
   * small number) as the step's result.
   */
  readonly onStep: (payload: Payload, step: number) => number | Promise<number>
}

/** A worker that takes work. */
export interface RunningWorker {
  /** Stops taking work and lets what is in flight end; the system's own graceful stop. */
  stop(): Promise<void>
}

/** A run that has been accepted. */
export interface StartedRun {
  /**
   * Waits for the run's end with the system's own way to wait, which is part of what is measured.
   * @throws {Error} when the run failed.
   */
  result(): Promise<unknown>
}

/**
 * The system, opened in a process of its own. One process may produce, work, or do both; nothing may run in the
 * background that `startWorker` has not asked for. (A system that cannot be opened without a worker says so in `note`.)
 */
export interface Session {
  /** Resolves when the message is committed. Called with up to 100 in flight. */
  enqueue(payload: Payload): Promise<unknown>
  /** Resolves when all are committed. By the system's call for many; leave it out when there is none. */
  enqueueMany?(payloads: readonly Payload[]): Promise<unknown>
  /**
   * Resolves when the worker is ready to take work. With `work: 'runs'` it executes one workflow by its input:
   * - `none` returns at once.
   * - `steps` has `payload.steps` durable steps, named `step_0`, `step_1`, …, each recorded before the next begins, the
   *   body of each is `plan.onStep(payload, index)`; it returns the number of steps.
   * - `transaction` has one transactional step, in which
   *   `insert into bench_effects (n) values (<payload.n>)` and the record of the step are committed together.
   *   The table is there already. On a system without such a step, `supports('T', …)` says so.
   * - `sleep` sleeps an hour with the system's durable sleep.
   */
  startWorker(plan: WorkerPlan): Promise<RunningWorker>
  /** Accepts a run of the workflow: resolves when it is committed. Left out by systems that have no runs. */
  trigger?(payload: Payload): Promise<StartedRun>
  /** Ends workers that still run, too, and every connection. */
  close(): Promise<void>
}

/** What a session is opened for. */
export interface SessionOptions {
  readonly scenario: ScenarioName
  /** `producer` will not start a worker, `worker` will not enqueue, `both` does both in one process. */
  readonly role: 'producer' | 'worker' | 'both'
  /** What the worker of this session will do. */
  readonly work: Work
  /** The concurrency its worker will ask for, for systems that want to know it at the start (sizes of pools). */
  readonly concurrency: number
}

/** A system in one configuration. */
export interface System {
  /** Such as `pg-boss`. The same for both configurations. */
  readonly name: string
  /** `default`: as its first page of documentation shows it. `best`: what its documentation recommends for speed. */
  readonly configuration: 'default' | 'best'
  /** What this configuration consists of, with the numbers, in a sentence or two; goes into the report. */
  readonly note: string
  /** `queue` has handlers for messages, `engine` has durable runs; pgqrs and the limit are both. */
  readonly kind: 'queue' | 'engine' | 'both'
  readonly stores: readonly StoreName[]
  /** The npm package whose version is reported, and which is installed on demand (rivals). */
  readonly packageName: string
  /**
   * True, or the reason why the scenario cannot be measured (`'has no transactional step'`). The default
   * configuration may answer `'as best'` when the two do not differ in this scenario: it is then not measured twice.
   */
  supports(scenario: ScenarioName, store: StoreName): true | string
  /** For R: the shortest lease (or time-out) that is documented, as configured when `scenario` is `R`. */
  readonly shortestLease: string
  /** Creates tables and queues in an empty database, in a process of its own; once before any session is opened. */
  install(database: BenchDatabase): Promise<void>
  /** Opens it, in a child process. */
  open(database: BenchDatabase, options: SessionOptions): Promise<Session>
  /**
   * SQL with one row and one column: how many messages or runs are committed and not finished (waiting, held, failed).
   * A producer's process may not have to exist for it.
   */
  backlogSql(work: Work, store: StoreName): string
  /**
   * The same for how many are committed as finished with success. Undefined when the system deletes what has finished;
   * then what is not in the backlog has finished.
   */
  finishedSql(work: Work, store: StoreName): string | undefined
  /**
   * Optional: puts `count` messages, `payloadFor(0…count-1)`, into an installed database as fast as it can, for D. Rows
   * must be such as `enqueue` writes them. Without it, the bench uses `enqueueMany`, else `enqueue`.
   */
  fill?(database: BenchDatabase, count: number): Promise<void>
  /**
   * Optional, for S: puts rows beside the work. `archived` have finished, `ready` are claimable and of another queue or
   * a lower priority than the work, `delayed` are due in an hour, `leased` are held for an hour by somebody else.
   */
  grow?(
    database: BenchDatabase,
    what: 'archived' | 'ready' | 'delayed' | 'leased',
    count: number,
  ): Promise<void>
}
