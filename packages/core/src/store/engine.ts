import type { Clock } from '../clock.js'
import type { Config } from '../config/settings.js'
import type { Driver, Execute, Failure, TransactionPlan } from '../db/driver.js'
import type { Prepared } from '../db/prepared.js'
import type { Row, Statement } from '../db/statement.js'
import { ClosedError, InvalidArgumentError } from '../errors.js'
import { queriesFor, type Queries } from '../queries/index.js'
import type { Random } from '../random.js'
import { executeWith, TransactionAdapter } from '../transaction/adapter.js'
import { Batcher, type Answer, type Group } from './batcher.js'
import { Endings } from './endings.js'
import { failureBehind } from './failures.js'
import { answersOf, batchOperations, type BatchOperation } from './operations.js'
import { mustFit, type InstalledVersion } from './schema-version.js'
import { aborted, Sender } from './sender.js'
import { StandingClaims } from './standing-claims.js'
import { Wakeups } from './wakeups.js'

/** What a call may bring along. */
export interface CallOptions {
  /** Gives up when it aborts. What was sent already may still take effect. */
  readonly signal?: AbortSignal | undefined
}

const KNOWN_FOR_MS = 60_000

/**
 * The engine under every handle: executes the queries, alone or through group commit, once it is known that the tables
 * are of a version this code can work with. Every statement of pgqrs passes through here.
 */
export class Engine {
  readonly queries: Queries
  readonly operations: ReturnType<typeof batchOperations>
  readonly wakeups: Wakeups
  readonly standingClaims = new StandingClaims()
  readonly endings = new Endings()
  private readonly sender: Sender
  private readonly batcher: Batcher
  private readonly closing = new AbortController()
  private versionChecked: Promise<void> | undefined
  private isReady = false
  private readonly knownQueues = new Map<string, number>()
  private readonly knowing = new Map<string, Promise<void>>()
  private readonly closers = new Set<() => Promise<void>>()
  private refuses = false
  private shutDownOnce: Promise<void> | undefined

  constructor(
    readonly driver: Driver,
    readonly config: Config,
    readonly clock: Clock,
    readonly random: Random,
  ) {
    this.queries = queriesFor(driver.dialect)
    this.operations = batchOperations(this.queries)
    this.wakeups = new Wakeups(driver, clock)
    this.sender = new Sender(driver, {
      clock,
      random,
      connectionTimeoutMs: config.connectionTimeoutMs,
      closed: this.closed,
      onNotInstalled: () => {
        this.forgetVersion()
      },
    })
    this.batcher = new Batcher(
      (groups) => this.flush(groups),
      {
        parallel: driver.capabilities.parallelFlushes,
        together: driver.capabilities.oneWriter,
        maxItems: 1000,
        maxSize: 4 * 1024 * 1024,
        maxWaitingSize: 256 * 1024 * 1024,
        sizeOfCall: 1000,
      },
      (error) => {
        const { kind } = this.failureOf(error)
        return kind === 'unique' || kind === 'other'
      },
      () => clock.settle(),
    )
  }

  /** The time to use instead of the database's clock, or null. */
  get now(): number | null {
    return this.clock.databaseNow()
  }

  /** Aborts when the store closes. */
  get closed(): AbortSignal {
    return this.closing.signal
  }

  /** Executes one query. Repeats it after a failure that may pass, within the connection timeout. */
  async run<Args, R>(
    query: Prepared<Args, R>,
    args: Args,
    doing: string,
    options: CallOptions = {},
  ): Promise<R[]> {
    await this.ready(options)
    const { rows } = await this.sender.send([query.bind(args)], doing, options.signal)
    return (rows[0] ?? []) as R[]
  }

  /** Executes one query and says whether it had to be sent more than once. */
  async runOnce<Args, R>(
    query: Prepared<Args, R>,
    args: Args,
    doing: string,
    options: CallOptions = {},
  ): Promise<{ rows: R[]; repeated: boolean }> {
    await this.ready(options)
    const { rows, repeated } = await this.sender.send([query.bind(args)], doing, options.signal)
    return { rows: (rows[0] ?? []) as R[], repeated }
  }

  /** Executes statements, all or none, without looking at the schema's version: for the installer. */
  async raw(statements: readonly Statement[], doing: string): Promise<Row[][]> {
    this.mustNotBeOver()
    return (await this.sender.send(statements, doing)).rows
  }

  /**
   * Carries an item out through group commit.
   * @param first what must have happened before. The item counts as waiting from now on all the same.
   */
  submit<Item, R>(
    operation: BatchOperation<Item, R>,
    item: Item,
    options: CallOptions = {},
    first?: Promise<unknown>,
  ): Promise<Answer<R>> {
    const free = this.isReady && !this.closing.signal.aborted
    const before = first ?? (free ? undefined : this.ready(options))
    return this.batcher.submit(operation, item, options.signal, before)
  }

  /** Before anything is made of new work. @throws BackPressureError */
  mustHaveRoom(doing: string): void {
    this.batcher.mustHaveRoom(doing)
  }

  /** Carries many items out in one statement, all or none, past the batcher. */
  async submitAll<Item, R>(
    operation: BatchOperation<Item, R>,
    items: readonly Item[],
    options: CallOptions & { readonly within?: Execute | undefined } = {},
  ): Promise<Answer<R>[]> {
    if (items.length === 0) return []
    const statements = operation.batch.bind(items, { now: this.now })
    if (options.within !== undefined) {
      const rows = await this.sender.sendWithin(options.within, statements, operation.name)
      return answersOf(operation, items, rows.flat() as R[], false)
    }
    await this.ready(options)
    const { rows, repeated } = await this.sender.send(statements, operation.name, options.signal)
    return answersOf(operation, items, rows.flat() as R[], repeated)
  }

  /** Executes statements in the caller's transaction, or on their own. */
  async sendIn(
    within: Execute | undefined,
    statements: readonly Statement[],
    doing: string,
    options: CallOptions = {},
  ): Promise<Row[][]> {
    if (within !== undefined) return this.sender.sendWithin(within, statements, doing)
    await this.ready(options)
    return (await this.sender.send(statements, doing, options.signal)).rows
  }

  /**
   * How to execute inside a transaction of the caller's.
   * @throws InvalidArgumentError when it is no transaction this store can use.
   */
  within(tx: unknown): Execute {
    const execute = tx instanceof TransactionAdapter ? executeWith(tx) : this.driver.within(tx)
    if (execute !== undefined) return execute
    throw new InvalidArgumentError(
      `tx is no transaction the ${this.driver.name} driver knows. Give its client's own transaction, or wrap another ` +
        "library's with fromPg, fromKysely, fromDrizzle, fromPrisma, fromKnex or fromTypeOrm.",
    )
  }

  /** Makes sure that a queue is known, at most once a minute. Nothing to wait for when it is. */
  knowQueue(name: string, kind: 'queue' | 'workflow', within?: Execute): Promise<void> | undefined {
    const key = `${kind} ${name}`
    const knownUntil = this.knownQueues.get(key)
    if (knownUntil !== undefined && this.clock.monotonic() < knownUntil) return undefined
    const statement = this.queries.queues.ensure.bind({ name, kind, now: this.now })
    const send = (): Promise<unknown> => this.sendIn(within, [statement], `make queue ${name} known`)
    // What is written in the caller's transaction may be rolled back, so it is not remembered.
    if (within !== undefined) return send().then(() => undefined)
    // Calls made side by side wait for one statement.
    let knowing = this.knowing.get(key)
    if (knowing === undefined) {
      knowing = send()
        .then(() => void this.knownQueues.set(key, this.clock.monotonic() + KNOWN_FOR_MS))
        .finally(() => this.knowing.delete(key))
      this.knowing.set(key, knowing)
    }
    return knowing
  }

  /** Forgets that a queue is known: after it was deleted. */
  forgetQueue(name: string): void {
    this.knownQueues.delete(`queue ${name}`)
    this.knownQueues.delete(`workflow ${name}`)
  }

  /** Runs a user's transaction with the engine's statements around it. */
  async transaction<T>(plan: TransactionPlan<unknown, T>, doing: string): Promise<T> {
    await this.ready({})
    return await this.sender.transaction(plan, doing)
  }

  /** The kind of failure behind an error of {@link transaction} or {@link run}. */
  failureOf(error: unknown): Failure {
    return failureBehind(this.driver, error)
  }

  /** Registers something that {@link close} must stop first. */
  onClose(closer: () => Promise<void>): () => void {
    this.closers.add(closer)
    return () => this.closers.delete(closer)
  }

  /** Stops workers, lets what was accepted finish, and releases everything. Every call resolves when that is done. */
  close(): Promise<void> {
    this.shutDownOnce ??= this.shutDown()
    return this.shutDownOnce
  }

  private async shutDown(): Promise<void> {
    await Promise.allSettled([...this.closers].map((stop) => stop()))
    this.refuses = true
    await this.sender.over(this.batcher)
    this.closing.abort(new ClosedError('The store was closed.'))
    await this.wakeups.close()
    await this.driver.close()
  }

  /** Every handle holds the engine: what a log shows of one must not be the client underneath and its secrets. */
  toJSON(): string {
    return `${this.driver.name}: ${this.driver.target}`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Engine(${this.toJSON()})`
  }

  /** @throws ClosedError */
  mustBeOpen(doing: string): void {
    if (this.refuses) throw new ClosedError(`The store is closed (${doing}). Connect again.`)
  }

  /** A call that was accepted goes on until nothing of it is left. @throws ClosedError */
  private mustNotBeOver(): void {
    if (this.closing.signal.aborted) throw new ClosedError('The store is closed. Connect again.')
  }

  /** Makes sure, once, that the tables are there and of a version this code can work with. */
  async ready(options: CallOptions): Promise<void> {
    this.mustNotBeOver()
    this.versionChecked ??= this.checkVersion()
      .then(() => void (this.isReady = true))
      .catch((error: unknown) => {
        // The next call looks again: somebody may install meanwhile.
        this.versionChecked = undefined
        throw error
      })
    if (options.signal?.aborted === true) throw aborted('call', options.signal)
    await this.versionChecked
  }

  /** The version of the tables. */
  async schemaVersion(options: CallOptions): Promise<{ version: number }> {
    const [row] = await this.run(this.queries.versions.installed, {}, 'look at the schema version', options)
    return { version: row?.version ?? 0 }
  }

  /** Forgets what was found out about the tables: after an install or uninstall, whoever did it. */
  forgetVersion(): void {
    this.versionChecked = undefined
    this.isReady = false
    this.knownQueues.clear()
  }

  private async checkVersion(): Promise<void> {
    const installed = this.queries.versions.installed.bind({})
    const { rows } = await this.sender.send([installed], 'look at the schema version')
    const found = rows[0]?.[0] as InstalledVersion | undefined
    mustFit(found, this.driver.target)
  }

  private async flush(wanted: readonly Group[]): Promise<Answer<unknown>[][]> {
    const { now } = this
    const handing = this.standingClaims.handOver(wanted, this.operations.enqueueHanded)
    const groups = handing?.groups ?? wanted
    const bind = (group: Group, repeated: boolean): Statement[] => {
      const { batch, repeat = batch } = group.operation as unknown as BatchOperation<unknown, unknown>
      return (repeated ? repeat : batch).bind(group.items, { now })
    }
    let bound: Statement[][] = []
    const doing = groups.map((group) => group.operation.name).join(', ')
    const { rows, repeated } = await this.sender
      .send((again) => {
        bound = groups.map((group) => bind(group, again))
        return bound.flat()
      }, doing)
      .catch((error: unknown) => {
        handing?.failed(error)
        throw error
      })
    let from = 0
    const answers = groups.map(({ operation, items }, g) => {
      const mine = rows.slice(from, (from += bound[g]?.length ?? 0)).flat()
      return answersOf(operation as unknown as BatchOperation<unknown, unknown>, items, mine, repeated)
    })
    handing?.answered(answers, repeated)
    return answers
  }
}
