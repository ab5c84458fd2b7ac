import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { HistoryWriter, readHistory, type History, type LeftOut } from '@pgqrs/checker'
import { systemRandom } from '@pgqrs/core/driver'
import { SCRIPT, referenceAnswers } from './answers.js'
import { CrewPlace } from './crew.js'
import type { ChaosDatabase } from './databases/database.js'
import { openDatabase } from './databases/open.js'
import { diskFull } from './faults/disk-full.js'
import type { Fault } from './faults/fault.js'
import { readDatabase } from './final-rows.js'
import { inapplicable } from './inapplicable.js'
import type { Call } from './load/calls.js'
import { accounts, BALANCE } from './load/payloads.js'
import { planLoad, type LoadShape } from './load/plan.js'
import { GRACE_MS, LEASE_MS, ownQueue, POLL_MS, queueFacts } from './load/policies.js'
import { Nemesis, planFaults } from './nemesis.js'
import type { ChaosOptions } from './options.js'
import { searchOutputs } from './outputs.js'
import { begin } from './processes/beginning.js'
import { Caller } from './processes/caller.js'
import { connectWithDriver } from './processes/connect.js'
import { mono } from './processes/setup.js'
import { bundlePrograms, type Program, type Programs } from './programs.js'
import { sabotages } from './sabotage/all.js'
import { takeSnapshot } from './snapshots.js'

const SNAPSHOT_EVERY_MS = 700
/** Enough that another one claims what one of them has lost. */
const CONSUMERS = 2
const PRODUCERS = ['producer-1', 'producer-2']
/** Results that are read once more when all is over. */
const MOST_READ_AGAIN = 60
/** Sleeps, pauses and back-offs of the load are over long before. */
const QUIET_WITHIN_MS = 60_000
/** As much as the log of a second needs at most; the rest is filled when the disk is to be full. */
const MB_PER_SECOND = 1
const diskFor = (seconds: number): number => Math.max(64, seconds * MB_PER_SECOND)

/** A run and what it left behind. */
export interface ChaosResult {
  readonly history: History
  readonly folder: string
  /** Invariants that this run can give nothing to look at, and why. */
  readonly inapplicable: Readonly<Record<string, string>>
  /** Faults that were asked for and cannot be had here. */
  readonly leftOut: readonly LeftOut[]
}

/** Runs the load with faults against a database of its own, waits for quiet, and returns what happened. */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-chaos-'))
  const programs = await bundlePrograms()
  const tidyUp = (): void => {
    programs.remove()
    if (!options.keep) rmSync(folder, { recursive: true, force: true })
  }
  const database = await openDatabase(options.store, {
    folder,
    disk: options.faults.includes(diskFull) ? diskFor(options.seconds) : undefined,
    settings: sabotages[options.sabotage ?? '']?.settings ?? {},
  })
  // After the disk was unmounted, when the process is told to end.
  process.once('exit', tidyUp)
  const history = new HistoryWriter(join(folder, 'harness.jsonl'), 'harness')
  try {
    const leftOut = leftOutOf(options.faults, database)
    for (const { what, reason } of leftOut) say(`left out: ${what}: ${reason}`)
    const possible = options.faults.filter(({ name }) => leftOut.every(({ what }) => what !== name))
    const run = new ChaosRun({ ...options, faults: possible }, database, history, folder, programs, say)
    await run.play().catch(async (error: unknown) => {
      // What is tidied up now may fail in its turn.
      say(`the run broke off: ${inspect(error)}`)
      await run.abandon()
      throw error
    })
    history.close()
    return { history: readHistory(folder), folder, inapplicable: inapplicable(options), leftOut }
  } finally {
    await database.close().finally(tidyUp)
    process.off('exit', tidyUp)
  }
}

function leftOutOf(faults: readonly Fault[], database: ChaosDatabase): LeftOut[] {
  return faults.flatMap((fault) => {
    const reason = fault.missing?.(database)
    return reason === undefined ? [] : [{ what: fault.name, reason }]
  })
}

class ChaosRun {
  private readonly epochMs = Date.now() - mono()
  private readonly shape: LoadShape
  /** CLOCK_MONOTONIC in ms when the load began. */
  private beganAt = 0
  private callers = 0
  private places: readonly CrewPlace[] = []

  constructor(
    private readonly options: ChaosOptions,
    private readonly database: ChaosDatabase,
    private readonly history: HistoryWriter,
    private readonly folder: string,
    private readonly programs: Programs,
    private readonly say: (line: string) => void,
  ) {
    this.shape = {
      perSecond: options.perSecond,
      weights: options.weights,
      // Where an engine is broken on purpose, workers only work: each sabotage needs just that.
      producers:
        options.sabotage === undefined ? [...PRODUCERS, ...rolesOf('worker', options.workers)] : PRODUCERS,
      forMs: options.seconds * 1000,
    }
  }

  async play(): Promise<void> {
    this.tellFacts()
    await this.tellAnswers()
    const { workers, consumers, clients } = this.crew()
    const holders = [...workers, ...consumers]
    const { seed, faults, sabotage } = this.options
    const nemesis = new Nemesis(planFaults(seed, faults, this.shape.forMs), this.history)
    this.places = [...holders, ...clients]
    await Promise.all(this.places.map((place) => place.start()))
    await Promise.all(this.places.map((place) => place.working()))
    this.beganAt = begin(this.folder)
    const rewound = (from: number, to: number): void => {
      this.history.append({ kind: 'rewound', from, to })
    }
    const field = { database: this.database, workers, holders, clients, call: this.call, rewound }
    nemesis.begin(field, this.beganAt)
    await this.watch()
    await nemesis.callOff()
    await Promise.all(holders.map((place) => place.working()))
    this.mark('healed')
    await this.askEach(workers)
    await Promise.all([...clients.map((place) => place.done()), ...workers.map((place) => place.called())])
    this.mark('load-ended')
    const left = await this.quiet()
    if (left > 0) this.say(`not quiet: ${left} messages are unfinished after ${this.quietWithinMs} ms`)
    this.mark('quiet')
    await this.readAgain()
    await Promise.all(holders.map((place) => place.dismiss()))
    await this.inspect()
    if (sabotage !== undefined) this.say(`sabotaged: ${sabotage}`)
  }

  private crew(): Record<'workers' | 'consumers' | 'clients', CrewPlace[]> {
    const { store, seed, sabotage, weights } = this.options
    const { folder, shape } = this
    const setup = {
      store,
      dsn: this.database.dsn,
      folder,
      seed,
      shape,
      concurrency: store === 'turso' ? 3 : 8,
      ...(sabotage && { sabotage }),
    }
    const places = (program: Program, roles: readonly string[]): CrewPlace[] =>
      roles.map((role) => new CrewPlace(role, this.programs, program, setup, this.history))
    return {
      workers: places('worker', rolesOf('worker', this.options.workers)),
      consumers: places('consumer', rolesOf('consumer', (weights.hand ?? 0) > 0 ? CONSUMERS : 0)),
      clients: places('client', [...PRODUCERS, 'operator-1']),
    }
  }

  private tellFacts(): void {
    const { store, seed, faults, sabotage } = this.options
    this.history.append({
      kind: 'facts',
      store,
      load: sabotage === undefined ? 'chaos' : `chaos with ${sabotage}`,
      seed,
      faults: faults.map(({ name }) => name),
      leaseMs: LEASE_MS,
      graceMs: GRACE_MS,
      pollMs: POLL_MS,
      epochMs: this.epochMs,
      queues: queueFacts(rolesOf('worker', this.options.workers)),
      accounts: Object.fromEntries(accounts.map((name) => [name, BALANCE])),
    })
  }

  private async tellAnswers(): Promise<void> {
    const answers = { kind: 'system', what: 'answers', script: SCRIPT } as const
    const { kind, answers: own } = this.database
    this.history.append({ ...answers, store: 'sqlite in memory', answers: await referenceAnswers() })
    this.history.append({ ...answers, store: kind, answers: own })
  }

  /** Ends every process that has not ended: the run could not go on. */
  async abandon(): Promise<void> {
    await Promise.all(this.places.map((place) => place.abandon()))
  }

  /** Gives each worker something to do that nobody else can do. */
  private async askEach(workers: readonly CrewPlace[]): Promise<void> {
    await this.call(
      workers.map(({ role }) => {
        const message = { id: systemRandom.id(), queue: ownQueue(role), payload: JSON.stringify(role) }
        return { what: 'enqueue', kind: 'queue', messages: [message] }
      }),
    )
  }

  /** Reads results that were awaited while there were faults: whoever comes later gets the same. */
  private async readAgain(): Promise<void> {
    const awaited = planLoad(this.options.seed, this.shape).flatMap(({ call }) =>
      call.what === 'result' ? [call] : [],
    )
    await this.call(awaited.slice(0, MOST_READ_AGAIN))
  }

  /** Makes calls past all faults of the network. */
  private readonly call = async (calls: readonly Call[]): Promise<void> => {
    const { store, seed } = this.options
    const name = `harness-${++this.callers}`
    const setup = { store, dsn: this.database.straightDsn, folder: this.folder, seed, name }
    const { store: own, driver } = await connectWithDriver(setup)
    const caller = new Caller(setup, own, driver, this.history)
    for (const call of calls) caller.begin(call)
    await caller.idle()
    await own.close()
  }

  /** Takes snapshots until the load is over. */
  private async watch(): Promise<void> {
    const until = this.beganAt + this.shape.forMs
    while (mono() < until) {
      await sleep(Math.min(SNAPSHOT_EVERY_MS, Math.max(1, until - mono())))
      // The server may be away.
      await takeSnapshot(this.database, this.history).catch(() => undefined)
    }
  }

  /** A machine with other things to do falls behind, the more the longer the load lasts. */
  private get quietWithinMs(): number {
    return QUIET_WITHIN_MS + this.shape.forMs / 2
  }

  /** Waits until everything has finished. Returns how much has not. */
  private async quiet(): Promise<number> {
    const giveUpAt = mono() + this.quietWithinMs
    for (;;) {
      const [row] = await this.database.query(
        'select count(*) as n from pgqrs_messages where finished_at is null',
      )
      const left = Number(row?.['n'])
      if (left === 0 || mono() > giveUpAt) return left
      await sleep(100)
    }
  }

  /** After the last process has ended: what the database has to tell. */
  private async inspect(): Promise<void> {
    const { database, history } = this
    await takeSnapshot(database, history)
    await readDatabase(database, history, this.epochMs)
    const [held] = await database.query(
      "select count(*) as n from pgqrs_messages where finished_at is null and status in ('running', 'cancelling')",
    )
    const { openTransactions, advisoryLocks } = await database.leftovers()
    history.append({
      kind: 'system',
      what: 'leftovers',
      leases: Number(held?.['n']),
      openTransactions,
      advisoryLocks,
    })
    history.append({ kind: 'system', what: 'integrity', ...(await database.integrity()) })
    const { secret } = database
    if (secret !== undefined)
      history.append({ kind: 'system', what: 'canary', ...searchOutputs(this.folder, secret) })
  }

  private mark(what: 'healed' | 'load-ended' | 'quiet'): void {
    this.history.append({ kind: 'mark', what })
  }
}

function rolesOf(program: 'worker' | 'consumer', count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${program}-${i + 1}`)
}
