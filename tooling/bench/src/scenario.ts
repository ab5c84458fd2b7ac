import type { Databases } from './databases.js'
import { cpuOfTree, bytesWrittenBy } from './processes.js'
import { RemoteSession } from './remote-session.js'
import { Turns } from './turns.js'
import type { BenchDatabase, ScenarioName, SessionOptions, System, Work } from './system.js'

/** One number that a scenario finds. */
export interface Metric {
  /** Unique over all scenarios: `E1`, `L p50`. */
  readonly name: string
  /** What it says, for people. */
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
}

/** Numbers by the name of their metric. */
export type Values = Record<string, number>

/** What the work has cost, per message or run. */
export interface Cost {
  readonly clientCpuMs: number
  readonly serverCpuMs: number | undefined
  /** WAL on Postgres; bytes handed to write calls on SQLite. */
  readonly bytes: number | undefined
}

/** What one measurement gives. */
export interface Measured {
  readonly values: Values
  readonly cost?: Cost
  /** Where each sample is worth keeping: pooled over the rounds. */
  readonly samples?: Readonly<Record<string, readonly number[]>>
  /** What a reader should know about the figure. */
  readonly remark?: string
}

/** One scenario: a file of `scenarios/`. */
export interface Scenario {
  readonly name: ScenarioName
  readonly title: string
  readonly metrics: readonly Metric[]
  /** `each`: in every round. `once`: in the first. */
  readonly rounds: 'each' | 'once'
  /** Whether what systems are without any settings is measured, too. Default: true. */
  readonly outOfTheBox?: boolean
  /** Only for rivals that were not hopeless there. */
  readonly notHopelessIn?: ScenarioName
  /** Whether it only waits, so that all systems may do it at the same time. */
  readonly together?: boolean
  /** How many may do it at once where {@link Trial.turns} are taken. Default: 1. */
  readonly atOnce?: number
  /** Why a system cannot be measured here though it can do what is asked; undefined: it can. */
  refuses?(system: System): string | undefined
  /** What must be in the database before: `installed` or, besides, a backlog of this many messages. */
  backlog?(quick: boolean): number
  measure(trial: Trial): Promise<Measured>
}

/** One system in one scenario, in one round, on a database of its own. */
export class Trial {
  private readonly sessions: RemoteSession[] = []

  constructor(
    readonly system: System,
    readonly scenario: ScenarioName,
    readonly databases: Databases,
    readonly database: BenchDatabase,
    readonly quick: boolean,
    /** Messages that were there before. */
    readonly backlog: number,
    /** Resolves when all systems that are measured at the same time have come so far. */
    readonly together: () => Promise<void> = () => Promise.resolve(),
    /** What only so many of those that are measured at the same time may do at once. */
    readonly turns: Turns = new Turns(1),
  ) {}

  /** Opens the system in a child process; it is closed with the trial. */
  async open(role: SessionOptions['role'], work: Work, concurrency: number): Promise<RemoteSession> {
    const { name, configuration } = this.system
    const options: SessionOptions = { scenario: this.scenario, role, work, concurrency }
    const session = await RemoteSession.open({
      system: name,
      configuration,
      database: this.database,
      options,
    })
    this.sessions.push(session)
    return session
  }

  /** How many are committed and not finished. */
  unfinished(work: Work): Promise<number> {
    return this.databases.count(this.database, this.system.backlogSql(work, this.database.store))
  }

  /** How many of `accepted` are committed as finished. */
  async finished(work: Work, accepted: number): Promise<number> {
    const query = this.system.finishedSql(work, this.database.store)
    if (query === undefined) return accepted - (await this.unfinished(work))
    return this.databases.count(this.database, query)
  }

  /**
   * Compares what the database holds with what the calls have said.
   * @throws {Error} with both numbers when they differ.
   */
  mustBe(what: string, found: number, expected: number): void {
    if (found !== expected) {
      throw new Error(`${what}: the database holds ${found}, and the calls have confirmed ${expected}`)
    }
  }

  /** Reads what everything has used until now; give it to `costSince`. */
  async usage(): Promise<Usage> {
    const server = this.databases.serverPid()
    const alive = this.sessions.filter((session) => !session.closed)
    const marks = await Promise.all(alive.map((session) => session.call('mark')))
    const written = await Promise.all(alive.map((session) => bytesWrittenBy(session.pid)))
    const log = await this.databases.logBytes()
    return {
      atMs: Number(process.hrtime.bigint()) / 1e6,
      clientCpuMs: marks.reduce((total, mark) => total + mark.cpuMs, 0),
      serverCpuMs: server === undefined ? undefined : await cpuOfTree(server),
      bytes: log ?? written.reduce<number>((total, bytes) => total + (bytes ?? 0), 0),
    }
  }

  /** What each of `jobs` has cost since then. */
  async costSince(before: Usage, jobs: number): Promise<Cost> {
    const after = await this.usage()
    const each = (from: number | undefined, to: number | undefined): number | undefined =>
      from === undefined || to === undefined ? undefined : (to - from) / jobs
    return {
      clientCpuMs: (after.clientCpuMs - before.clientCpuMs) / jobs,
      serverCpuMs: each(before.serverCpuMs, after.serverCpuMs),
      bytes: each(before.bytes, after.bytes),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()))
  }
}

/** What everything has used at one moment. */
export interface Usage {
  /** Monotonic, the same clock as in the children. */
  readonly atMs: number
  readonly clientCpuMs: number
  readonly serverCpuMs: number | undefined
  readonly bytes: number | undefined
}
