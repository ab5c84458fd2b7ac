import type { Execute, ExecuteNow, MessageRow, NewMessage, Row, Statement } from '../store/records.js'
import type { PgqrsError } from '../errors.js'
import { AmbiguousCommitError, IdConflictError, KeyConflictError } from '../errors.js'
import { display } from '../names.js'
import type { CallOptions, Engine } from '../store/engine.js'
import type { OnConflict } from './producer.js'

/** Writes messages and finds out what stood in the way of those that could not be written. */
export class Enqueuer {
  constructor(private readonly engine: Engine) {}

  /** Enqueues one message; through group commit unless the caller brings a transaction. */
  async enqueueOne(
    entry: Entry,
    kind: 'queue' | 'workflow',
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string> {
    const { message, onConflict } = entry
    if (within !== undefined || onConflict === 'replace') {
      const [id] = await this.write([entry], kind, options, within)
      return id as string
    }
    // Not waited for here: whatever is called meanwhile must count as waiting, or nothing would ever be refused.
    const known = this.engine.knowQueue(message.queue, kind)
    const { enqueue, enqueueNew } = this.engine.operations
    const operation = isNew(entry) ? enqueueNew : enqueue
    for (;;) {
      const { row } = await this.naming([message], () =>
        this.engine.submit(operation, message, options, known),
      )
      const id = row?.id ?? (await this.standingFor([entry], undefined)).get(message.id)
      if (id !== undefined) {
        if (row?.lease_id == null) this.hint(message)
        return id
      }
      // Whoever held the key has finished between the insert and the look: the key is free now.
    }
  }

  /** Enqueues many messages, all or none; in the caller's transaction it is the caller who rolls back. */
  async enqueueAll(
    entries: readonly Entry[],
    kind: 'queue' | 'workflow',
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string[]> {
    return entries.length === 0 ? [] : this.write(entries, kind, options, within)
  }

  /** In a transaction that cannot wait: all is written, or the error thrown, before the call returns. */
  enqueueNow(entries: readonly Entry[], kind: 'queue' | 'workflow', execute: ExecuteNow): string[] {
    const [first] = entries
    if (first === undefined) return []
    const wanted = distinct(entries)
    const { ensure } = this.engine.queries.queues
    execute([ensure.bind({ name: first.message.queue, kind, now: this.engine.now })])
    const ids = new Map(written(wanted, execute(this.statements(wanted, true))))
    const open = wanted.filter((entry) => !ids.has(entry.message.id))
    if (open.length > 0) {
      // Nobody else writes meanwhile: what was not inserted has something in its way that is there now.
      const found = execute(this.looks(open)).flat() as unknown as MessageRow[]
      for (const [id, stands] of standing(open, found)) ids.set(id, stands)
    }
    return entries.map((entry) => ids.get(entry.message.id) as string)
  }

  private async write(
    entries: readonly Entry[],
    kind: 'queue' | 'workflow',
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string[]> {
    const allNew = within === undefined && entries.every(isNew)
    let open = allNew ? entries : distinct(entries)
    // Inside the caller's transaction the two leave together.
    const known = this.engine.knowQueue(entries[0]?.message.queue ?? '', kind, within)
    if (within === undefined) await known
    // When this fails, the insert fails too.
    else known?.catch(() => undefined)
    if (allNew && (await this.insertNew(entries, options))) return entries.map(({ message }) => message.id)
    const ids = new Map<string, string>()
    while (open.length > 0) {
      const messages = open.map((entry) => entry.message)
      const inserted = this.naming(messages, () => this.insert(open, options, within))
      for (const [wanted, id] of await inserted.catch(after(known))) ids.set(wanted, id)
      open = open.filter((entry) => !ids.has(entry.message.id))
      if (open.length === 0) break
      for (const [wanted, id] of await this.standingFor(open, within)) ids.set(wanted, id)
      open = open.filter((entry) => !ids.has(entry.message.id))
    }
    // With a transaction nothing is visible before its commit, which only the caller sees; waiting workers poll.
    if (within === undefined) for (const { message } of entries.slice(0, 1)) this.hint(message)
    return entries.map((entry) => ids.get(entry.message.id) as string)
  }

  /** Inserts what can meet nothing but itself, sent before. False when it has. */
  private async insertNew(entries: readonly Entry[], options: CallOptions): Promise<boolean> {
    const messages = entries.map((entry) => entry.message)
    const { enqueueStrictly } = this.engine.queries.messages
    const statements = enqueueStrictly.bind(messages, { now: this.engine.now })
    try {
      await this.naming(messages, () => this.engine.sendIn(undefined, statements, 'enqueue', options))
    } catch (error) {
      if (this.engine.failureOf(error).kind === 'unique') return false
      throw error
    }
    for (const message of messages.slice(0, 1)) this.hint(message)
    return true
  }

  /** Inserts and returns pairs of wanted and real id for what could be written. */
  private async insert(
    entries: readonly Entry[],
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<[string, string][]> {
    try {
      const statements = this.statements(entries, within !== undefined)
      const told = written(entries, await this.engine.sendIn(within, statements, 'enqueue', options))
      if (within !== undefined || entries[0]?.onConflict === 'replace') return told
      // What is inserted strictly is inserted without a word.
      return [
        ...told,
        ...entries.filter(isStrict).map(({ message }): [string, string] => [message.id, message.id]),
      ]
    } catch (error) {
      // Nothing was inserted; the look that follows finds what stood in the way.
      if (within === undefined && this.engine.failureOf(error).kind === 'unique') return []
      throw error
    }
  }

  private statements(entries: readonly Entry[], inTransaction: boolean): readonly Statement[] {
    const { messages } = this.engine.queries
    const bind = (query: typeof messages.enqueue, some: readonly Entry[]): Statement[] =>
      some.length === 0
        ? []
        : query.bind(
            some.map((entry) => entry.message),
            { now: this.engine.now },
          )
    if (entries[0]?.onConflict === 'replace') return bind(messages.enqueueOrReplace, entries)
    // On Postgres a statement that fails would make an end of the caller's transaction.
    if (inTransaction) return bind(messages.enqueue, entries)
    return [
      ...bind(messages.enqueueStrictly, entries.filter(isStrict)),
      ...bind(
        messages.enqueue,
        entries.filter((entry) => !isStrict(entry)),
      ),
    ]
  }

  private async standingFor(
    entries: readonly Entry[],
    within: Execute | undefined,
  ): Promise<Map<string, string>> {
    const rows: MessageRow[] = []
    try {
      for (const statement of this.looks(entries)) {
        const [found] = await this.engine.sendIn(within, [statement], 'look for the message in the way')
        rows.push(...(found as unknown as MessageRow[]))
      }
    } catch (error) {
      throw within === undefined ? undecided(entries, error) : error
    }
    return standing(entries, rows)
  }

  private looks(entries: readonly Entry[]): Statement[] {
    const { messages } = this.engine.queries
    const keyed = entries
      .filter((e) => e.message.key !== null)
      .map((e) => ({ of_queue: e.message.queue, of_key: e.message.key }))
    return [
      messages.get.bind({ ids: JSON.stringify(entries.map((e) => e.message.id)) }),
      ...(keyed.length === 0 ? [] : [messages.holdersOfKeys.bind({ keys: JSON.stringify(keyed) })]),
    ]
  }

  private hint(message: NewMessage): void {
    this.engine.wakeups.hint([`queue:${message.queue}`])
  }

  /** Puts the ids into the error that says their fate is unknown. */
  private async naming<T>(messages: readonly NewMessage[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AmbiguousCommitError)) throw error
      throw new AmbiguousCommitError(
        error.message,
        messages.map((m) => m.id),
        { cause: error.cause },
      )
    }
  }
}

/** Something stood in the way and could not be looked at: it may be the message itself, of a sending whose answer was lost. */
function undecided(entries: readonly Entry[], cause: unknown): AmbiguousCommitError {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new AmbiguousCommitError(
    `What was enqueued may be there already, and a look whether it is was not to be had: ${said}`,
    entries.map(({ message }) => message.id),
    { cause },
  )
}

// On Postgres the first failure ends the transaction, and every later one says no more than that.
function after(earlier: Promise<void> | undefined): (error: unknown) => Promise<never> {
  return async (error) => {
    await earlier
    throw error
  }
}

/** A message and what to do when its key is taken. */
export interface Entry {
  readonly message: NewMessage
  readonly onConflict: OnConflict
  /** The id is of the caller's making, so it may be there already. */
  readonly idGiven: boolean
}

/** Pairs of wanted and real id for what was written and told. */
function written(entries: readonly Entry[], rows: readonly (readonly Row[])[]): [string, string][] {
  const replaced = entries.find((entry) => entry.onConflict === 'replace')
  return rows.flat().map(({ id }) => [replaced?.message.id ?? (id as string), id as string])
}

/** For what was not inserted: the id that stands for it, or the error that says what stands in the way. */
function standing(entries: readonly Entry[], found: readonly MessageRow[]): Map<string, string> {
  const ids = new Map<string, string>()
  for (const { message, onConflict, idGiven } of entries) {
    const same = found.find((row) => row.id === message.id)
    if (same !== undefined) {
      // What was given its id here is that message, sent before, and replaced by another call since.
      if (idGiven && (same.payload !== message.payload || same.queue !== message.queue)) {
        throw new IdConflictError(
          `A message with id ${message.id} exists in queue ${display(same.queue)} and has another payload.`,
          message.id,
        )
      }
      ids.set(message.id, same.id)
      continue
    }
    const { queue, key } = message
    const holder = key === null ? undefined : found.find((row) => row.queue === queue && row.key === key)
    if (holder === undefined) continue
    refuse(message, holder, onConflict)
    ids.set(message.id, holder.id)
  }
  return ids
}

/** Its id was made for it, and it has no key. */
function isNew({ message, idGiven }: Entry): boolean {
  return !idGiven && message.key === null
}

/** What stands in the way of this message, if anything can, keeps the whole batch out. */
function isStrict({ message, onConflict, idGiven }: Entry): boolean {
  return idGiven || onConflict === 'reject' || message.key === null
}

/**
 * The entries without repeated ids.
 * @throws IdConflictError, KeyConflictError when entries of the batch stand in each other's way.
 */
function distinct(entries: readonly Entry[]): readonly Entry[] {
  if (entries.length === 1) return entries
  const byId = new Map<string, NewMessage>()
  const byKey = new Map<string, NewMessage>()
  for (const { message, onConflict } of entries) {
    const same = byId.get(message.id)
    if (same !== undefined && same.payload !== message.payload) {
      throw new IdConflictError(
        `Two messages of the batch have the id ${message.id} and different payloads.`,
        message.id,
      )
    }
    const holder = message.key === null ? undefined : byKey.get(message.key)
    if (holder !== undefined && holder !== same && onConflict === 'reject') {
      const key = message.key ?? ''
      throw new KeyConflictError(`Two messages of the batch have the key ${display(key)}.`, key, holder.id)
    }
    byId.set(message.id, same ?? message)
    if (message.key !== null) byKey.set(message.key, holder ?? message)
  }
  return byId.size === entries.length
    ? entries
    : entries.filter(({ message }) => byId.get(message.id) === message)
}

/** @throws PgqrsError when the holder of the key does not stand for the message. */
function refuse(message: NewMessage, holder: MessageRow, onConflict: OnConflict): void {
  const key = message.key ?? ''
  const named = `The key ${display(key)} of queue ${display(message.queue)} is held by message ${holder.id} (${holder.status})`
  let problem: PgqrsError | undefined
  if (onConflict === 'reject') problem = new KeyConflictError(`${named}.`, key, holder.id)
  else if (onConflict === 'replace') {
    problem = new KeyConflictError(`${named}, which can no longer be replaced.`, key, holder.id)
  } else if (message.key_kept && holder.payload !== message.payload) {
    problem = new KeyConflictError(
      `${named}, which was triggered with another input. Use another key.`,
      key,
      holder.id,
    )
  }
  if (problem !== undefined) throw problem
}
