import { encodeError } from '../codec/error-record.js'
import type { Status } from '../status.js'
import { AmbiguousCommitError, InvalidStateError, NotFoundError, RunCancelledError } from '../errors.js'
import { display } from '../names.js'
import type { MessageRow } from '../queries/messages.js'
import type { CallOptions, Engine } from './engine.js'

/** A message or run by id. @throws NotFoundError */
export async function readMessage(
  engine: Engine,
  id: string,
  options: CallOptions = {},
): Promise<MessageRow> {
  mustBeUuid(id)
  const args = { ids: JSON.stringify([id]) }
  const [row] = await engine.run(engine.queries.messages.get, args, 'look at a message', options)
  if (row === undefined) throw notFound(id)
  return row
}

/**
 * The message or run that a call has found nothing to change of.
 * @throws NotFoundError, or AmbiguousCommitError when the call was sent more than once: an earlier sending may arrive
 * yet, and find what was not there.
 */
export async function readUnchanged(
  engine: Engine,
  id: string,
  call: { readonly repeated: boolean; readonly doing: string },
  options: CallOptions,
): Promise<MessageRow> {
  try {
    return await readMessage(engine, id, options)
  } catch (error) {
    if (!call.repeated || !(error instanceof NotFoundError)) throw error
    throw new AmbiguousCommitError(
      `${error.message} A first ${call.doing} of it was lost on the way and may arrive yet: ask again once it is there.`,
      [id],
      { cause: error },
    )
  }
}

/** Asks a message or run to cancel. */
export async function cancelMessage(
  engine: Engine,
  id: string,
  queue: string,
  reason: string,
  options: CallOptions,
): Promise<Status> {
  mustBeUuid(id)
  const error = encodeError(new RunCancelledError(reason, id))
  const args = { ids: JSON.stringify([id]), error, now: engine.now }
  const { rows, repeated } = await engine.runOnce(engine.queries.messages.cancel, args, 'cancel', options)
  const [row] = rows
  if (row !== undefined) {
    engine.wakeups.hint([`cancel:${row.queue}`, `done:${row.queue}`])
    return row.status
  }
  const found = await readUnchanged(engine, id, { repeated, doing: 'cancel' }, options)
  if (found.status === 'cancelled') return 'cancelled'
  throw new InvalidStateError(`${id} of ${queue} has finished (${found.status}) and cannot be cancelled.`)
}

/** What is no UUID is the id of nothing, and not every database lets one ask. @throws NotFoundError */
export function mustBeUuid(id: string): void {
  if (!isUuid(id)) throw notFound(id)
}

/** The error for an id that is no message's. */
export function notFound(id: string): NotFoundError {
  return new NotFoundError(`There is no message or run with the id ${display(id)}.`)
}

/** Whether a text is a UUID. A text of a program without types may be anything. */
export function isUuid(id: string): boolean {
  return typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
}
