import { toCount } from '../duration.js'
import type { Status } from '../status.js'
import { InvalidArgumentError, InvalidStateError, KeyConflictError, NotFoundError } from '../errors.js'
import { checkKeys, display, suggestion } from '../names.js'
import { FIRST_PAGE, type MessageRow } from '../store/records.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { cancelMessage, isUuid, readMessage } from '../store/messages.js'
import { describe, type MessageInfo, type Page } from './describe.js'
import type { QueueAdmin } from './queues.js'

/** Which messages or runs to list. */
export interface ListOptions extends CallOptions {
  /** Default: every queue (for runs: every workflow). */
  readonly queue?: string
  /** Default: every status. */
  readonly status?: Status | readonly Status[]
  /** Items of a page. Default 50, at most 1000. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly cursor?: string
}

const live: readonly Status[] = ['queued', 'running', 'paused', 'cancelling']
const finished: readonly Status[] = ['success', 'error', 'cancelled']
const everyStatus = [...live, ...finished]

/** Single messages, whoever holds them. A run is a message too. */
export class MessageAdmin {
  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly queues: QueueAdmin,
  ) {}

  /** @throws NotFoundError */
  async get(id: string, options: CallOptions = {}): Promise<MessageInfo> {
    return describe(await readMessage(this.engine, id, options))
  }

  /** Newest first. @throws NotFoundError for an unknown queue */
  async list(options: ListOptions = {}): Promise<Page<MessageInfo>> {
    return this.page(options, async () => (await this.queues.list()).map((queue) => queue.name))
  }

  /** @internal Of these queues, unless the options name one. */
  async page(options: ListOptions, among: () => Promise<readonly string[]>): Promise<Page<MessageInfo>> {
    checkKeys(options, ['queue', 'status', 'limit', 'cursor', 'signal'], 'list')
    const limit = toCount(options.limit ?? 50, 'limit', 1, 1000)
    const statuses = statusList(options.status)
    const before = cursorOf(options.cursor)
    if (options.queue !== undefined) await this.queues.mustKnow(options.queue)
    const queues = options.queue === undefined ? await among() : [options.queue]
    const { lists } = this.engine.queries
    const query = statuses.every((s) => live.includes(s))
      ? lists.live
      : statuses.every((s) => finished.includes(s))
        ? lists.finished
        : lists.all
    const rows = await this.engine.run(
      query,
      {
        queues: JSON.stringify(queues),
        statuses: JSON.stringify(statuses),
        before,
        limit: limit + 1,
      },
      'list',
      options,
    )
    const items = rows.slice(0, limit).map(describe)
    return { items, next: rows.length > limit ? items.at(-1)?.id : undefined }
  }

  /** Finishes a message nobody holds, as if its handler had returned. @throws InvalidStateError, NotFoundError */
  async archive(id: string, options: CallOptions = {}): Promise<void> {
    const row = await readMessage(this.engine, id, options)
    const args = { ids: JSON.stringify([id]), now: this.engine.now }
    const [done] = await this.engine.run(this.engine.queries.messages.archive, args, 'archive', options)
    if (done === undefined) {
      const now = await readMessage(this.engine, id, options)
      throw new InvalidStateError(
        `Message ${id} of queue ${row.queue} is ${now.status} and cannot be archived from here.`,
      )
    }
    this.engine.wakeups.hint([`done:${row.queue}`])
  }

  /** Asks a message or run to cancel; what nobody holds is cancelled at once. @throws InvalidStateError, NotFoundError */
  async cancel(id: string, reason = 'cancelled', options: CallOptions = {}): Promise<Status> {
    const row = await readMessage(this.engine, id, options)
    return cancelMessage(this.engine, id, row.queue, reason, options)
  }
}

/** Messages and runs that ended unsuccessfully. */
export class DeadLetterAdmin {
  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly messages: MessageAdmin,
  ) {}

  /** Newest first. */
  async list(options: Omit<ListOptions, 'status'> = {}): Promise<Page<MessageInfo>> {
    return this.messages.list({ ...options, status: 'error' })
  }

  /** @throws InvalidStateError when it is no dead letter; NotFoundError */
  async get(id: string, options: CallOptions = {}): Promise<MessageInfo> {
    const message = await this.messages.get(id, options)
    if (message.status !== 'error')
      throw new InvalidStateError(`${id} is no dead letter: it is ${message.status}.`)
    return message
  }

  /**
   * Puts a dead letter back into its queue with a clean slate. A run keeps its checkpoints and runs the step again
   * that failed it.
   * @throws InvalidStateError when it is no dead letter
   * @throws KeyConflictError when another message has taken its key meanwhile
   * @throws NotFoundError
   */
  async replay(id: string, options: CallOptions = {}): Promise<void> {
    const row = await readMessage(this.engine, id, options)
    if (row.status !== 'error') throw new InvalidStateError(`${id} is no dead letter: it is ${row.status}.`)
    const step = row.error === null ? undefined : (JSON.parse(row.error) as { step?: string }).step
    const { messages, steps } = this.engine.queries
    // First: a crash in between leaves a failed run that is replayed with the same result by the next call.
    if (step !== undefined)
      await this.engine.run(steps.forgetOfFailed, { run_id: id, name: step }, 'forget a failed step', options)
    const args = { ids: JSON.stringify([id]), now: this.engine.now }
    try {
      const { rows, repeated } = await this.engine.runOnce(messages.replay, args, 'replay', options)
      if (rows.length === 0 && !repeated) throw new InvalidStateError(`${id} is a dead letter no more.`)
    } catch (error) {
      if (this.engine.failureOf(error).kind !== 'unique') throw error
      throw await this.keyTaken(row, options)
    }
    this.engine.wakeups.hint([`queue:${row.queue}`])
  }

  private async keyTaken(row: MessageRow, options: CallOptions): Promise<KeyConflictError> {
    const { queue, key } = row
    const keys = JSON.stringify([{ of_queue: queue, of_key: key }])
    const { holdersOfKeys } = this.engine.queries.messages
    const [holder] = await this.engine.run(
      holdersOfKeys,
      { keys },
      'look for the message in the way',
      options,
    )
    return new KeyConflictError(
      `Another message of queue ${queue} has the key ${display(key)} now.`,
      key ?? '',
      holder?.id ?? row.id,
    )
  }

  /**
   * Replays every dead letter of a queue and returns how many. What fails again meanwhile is not replayed twice; what
   * has lost its key to another message stays a dead letter.
   */
  async replayAll(queue: string, options: CallOptions = {}): Promise<number> {
    let replayed = 0
    let page: Page<MessageInfo> = await this.list({ ...options, queue, limit: 100 })
    for (;;) {
      for (const { id } of page.items) if (await this.replayed(id, options)) replayed++
      if (page.next === undefined) return replayed
      page = await this.list({ ...options, queue, limit: 100, cursor: page.next })
    }
  }

  /** Whether this call replayed it: another may have come first, with the message or with its key. */
  private async replayed(id: string, options: CallOptions): Promise<boolean> {
    try {
      await this.replay(id, options)
      return true
    } catch (error) {
      const passed = [KeyConflictError, InvalidStateError, NotFoundError]
      if (passed.some((known) => error instanceof known)) return false
      throw error
    }
  }
}

function cursorOf(cursor: string | undefined): string {
  if (cursor === undefined) return FIRST_PAGE
  if (isUuid(cursor)) return cursor
  throw new InvalidArgumentError(`cursor must be the \`next\` of an earlier page. Got ${display(cursor)}.`)
}

function statusList(status: Status | readonly Status[] | undefined): readonly Status[] {
  if (status === undefined) return everyStatus
  const list = typeof status === 'string' ? [status] : status
  for (const one of list) {
    if (!everyStatus.includes(one)) {
      throw new InvalidArgumentError(
        `There is no status ${display(one)}.${suggestion(one, everyStatus)} Known: ${everyStatus.join(', ')}.`,
      )
    }
  }
  return list
}
