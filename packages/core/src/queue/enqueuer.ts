import type { Execute, MessageRow, NewMessage } from '../store/records.js'
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
    message: NewMessage,
    kind: 'queue' | 'workflow',
    onConflict: OnConflict,
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string> {
    if (within !== undefined || onConflict === 'replace') {
      const [id] = await this.write([{ message, onConflict }], kind, options, within)
      return id as string
    }
    await this.engine.knowQueue(message.queue, kind)
    for (;;) {
      const { row } = await this.naming([message], () =>
        this.engine.submit(this.engine.operations.enqueue, message, options),
      )
      const id = row?.id ?? (await this.standing([{ message, onConflict }], undefined)).get(message.id)
      if (id !== undefined) {
        this.hint(message)
        return id
      }
      // Whoever held the key has finished between the insert and the look: the key is free now.
    }
  }

  /** Enqueues many messages in one statement. */
  async enqueueAll(
    entries: readonly Entry[],
    kind: 'queue' | 'workflow',
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string[]> {
    return entries.length === 0 ? [] : this.write(entries, kind, options, within)
  }

  private async write(
    entries: readonly Entry[],
    kind: 'queue' | 'workflow',
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<string[]> {
    const ids = new Map<string, string>()
    let open = entries
    // Inside the caller's transaction nothing may be awaited before the first statement; see Producer.enqueue.
    const known = this.engine.knowQueue(entries[0]?.message.queue ?? '', kind, within)
    if (within === undefined) await known
    // When this fails, the insert fails too and says so.
    else known?.catch(() => undefined)
    while (open.length > 0) {
      const messages = open.map((entry) => entry.message)
      const inserted = this.naming(messages, () => this.insert(open, options, within))
      for (const [wanted, id] of await inserted) ids.set(wanted, id)
      open = open.filter((entry) => !ids.has(entry.message.id))
      if (open.length === 0) break
      for (const [wanted, id] of await this.standing(open, within)) ids.set(wanted, id)
      open = open.filter((entry) => !ids.has(entry.message.id))
    }
    // With a transaction nothing is visible before its commit, which only the caller sees; waiting workers poll.
    if (within === undefined) for (const { message } of entries.slice(0, 1)) this.hint(message)
    return entries.map((entry) => ids.get(entry.message.id) as string)
  }

  /** Inserts and returns pairs of wanted and real id for what could be written. */
  private async insert(
    entries: readonly Entry[],
    options: CallOptions,
    within: Execute | undefined,
  ): Promise<[string, string][]> {
    const [first] = entries
    const { operations, queries, now } = this.engine
    if (entries.length === 1 && first?.onConflict === 'replace') {
      const statements = queries.messages.enqueueOrReplace.bind([first.message], { now })
      const [rows] = await this.engine.sendIn(within, statements, 'enqueue', options)
      const row = rows?.[0] as { id: string } | undefined
      return row === undefined ? [] : [[first.message.id, row.id]]
    }
    const answers = await this.engine.submitAll(
      operations.enqueue,
      entries.map((e) => e.message),
      { ...options, within },
    )
    return answers.flatMap(({ row }) => (row === undefined ? [] : [[row.id, row.id] as [string, string]]))
  }

  /** For what was not inserted: the id that stands for it, or the error that says what stands in the way. */
  private async standing(
    entries: readonly Entry[],
    within: Execute | undefined,
  ): Promise<Map<string, string>> {
    const found = await this.look(entries, within)
    const ids = new Map<string, string>()
    for (const { message, onConflict } of entries) {
      const same = found.find((row) => row.id === message.id)
      if (same !== undefined) {
        if (same.payload !== message.payload || same.queue !== message.queue) {
          throw new IdConflictError(
            `A message with id ${message.id} exists in queue ${display(same.queue)} and has another payload.`,
            message.id,
          )
        }
        ids.set(message.id, same.id)
        continue
      }
      const holder = found.find((row) => row.queue === message.queue && row.key === message.key)
      if (holder === undefined) continue
      refuse(message, holder, onConflict)
      ids.set(message.id, holder.id)
    }
    return ids
  }

  private async look(entries: readonly Entry[], within: Execute | undefined): Promise<MessageRow[]> {
    const { messages } = this.engine.queries
    const keyed = entries
      .filter((e) => e.message.key !== null)
      .map((e) => ({ queue: e.message.queue, key: e.message.key }))
    const statements = [
      messages.get.bind({ ids: JSON.stringify(entries.map((e) => e.message.id)) }),
      ...(keyed.length === 0 ? [] : [messages.holdersOfKeys.bind({ keys: JSON.stringify(keyed) })]),
    ]
    const rows: MessageRow[] = []
    for (const statement of statements) {
      const [found] = await this.engine.sendIn(within, [statement], 'look for the message in the way')
      rows.push(...(found as unknown as MessageRow[]))
    }
    return rows
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

/** A message and what to do when its key is taken. */
export interface Entry {
  readonly message: NewMessage
  readonly onConflict: OnConflict
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
