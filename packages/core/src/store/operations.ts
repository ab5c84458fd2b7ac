import type { Batch } from '../db/prepared.js'
import type { Queries } from '../queries/index.js'
import type { NewCheckpoint, RecordedRow } from '../queries/steps.js'
import type { HandedMessage, HandedRow, NewMessage } from '../queries/enqueue.js'
import type { Finish, Release } from '../queries/leases.js'
import type { Status } from '../status.js'
import type { Answer, Group, Operation } from './batcher.js'

/** An operation and the statement that carries it out. */
export interface BatchOperation<Item, Row> extends Operation<Item, Row> {
  readonly batch: Batch<Item, { now: number | null }, Row>
  /** Which item a returned row belongs to: equals `keyOf` of that item. */
  rowKeyOf(row: Row): string
  /** For a statement that returns nothing and succeeds for all or none: what it did for an item. */
  rowOf?(item: Item): Row
  /** What is sent instead when an earlier sending may have taken effect. */
  readonly repeat?: Batch<Item, { now: number | null }, Row>
}

const length = (text: string | null): number => text?.length ?? 0

/** Everything that group commit carries. */
export function batchOperations(queries: Queries): {
  readonly enqueue: BatchOperation<NewMessage, EnqueuedRow>
  readonly enqueueNew: BatchOperation<NewMessage, EnqueuedRow>
  readonly enqueueHanded: BatchOperation<HandedMessage, HandedRow>
  readonly finish: BatchOperation<Finish, { id: string; status: Status }>
  readonly release: BatchOperation<Release, { id: string; status: Status }>
  readonly extend: BatchOperation<ExtendItem, { id: string; status: Status; vt: number }>
  readonly remove: BatchOperation<{ id: string; lease_id: string }, { id: string }>
  readonly removeUncancelled: BatchOperation<{ id: string; lease_id: string }, { id: string }>
  readonly record: BatchOperation<NewCheckpoint, RecordedRow>
} {
  const byId = { keyOf: (item: { id: string }) => item.id, rowKeyOf: (row: { id: string }) => row.id }
  const small = (): number => 100
  const sizeOfMessage = (m: NewMessage): number => 200 + m.payload.length + length(m.key)
  return {
    enqueue: {
      name: 'enqueue',
      batch: queries.messages.enqueue,
      ...byId,
      sizeOf: sizeOfMessage,
      refusable: true,
    },
    // Without a key and with an id made for it, a message meets nothing but itself.
    enqueueNew: {
      name: 'enqueue',
      batch: queries.messages.enqueueStrictly,
      repeat: queries.messages.enqueue,
      rowOf: ({ id }) => ({ id }),
      ...byId,
      sizeOf: sizeOfMessage,
      refusable: true,
    },
    enqueueHanded: {
      name: 'enqueue',
      batch: queries.messages.enqueueHanded,
      ...byId,
      sizeOf: sizeOfMessage,
    },
    finish: {
      name: 'finish',
      batch: queries.messages.finish,
      ...byId,
      sizeOf: (f) => 100 + length(f.output) + length(f.error),
    },
    release: {
      name: 'release',
      batch: queries.messages.release,
      ...byId,
      sizeOf: (r) => 100 + length(r.error),
    },
    extend: { name: 'extend', batch: queries.messages.extend, ...byId, sizeOf: small },
    remove: { name: 'delete', batch: queries.messages.remove, ...byId, sizeOf: small },
    removeUncancelled: {
      name: 'delete',
      batch: queries.messages.removeUncancelled,
      ...byId,
      sizeOf: small,
    },
    record: {
      name: 'record step',
      batch: queries.steps.record,
      keyOf: (c) => `${c.run_id}/${c.name}`,
      rowKeyOf: (row) => `${row.run_id}/${row.name}`,
      sizeOf: (c) => 200 + length(c.output) + length(c.error),
    },
  }
}

interface ExtendItem {
  readonly id: string
  readonly lease_id: string
  readonly lease_ms: number
}

/** What an enqueue has brought in. */
interface EnqueuedRow {
  readonly id: string
  /** Set when it was handed over from the start: nobody has to be woken for it. */
  readonly lease_id?: string | null
}

/**
 * The messages of a group that may be handed over: they are due as soon as they are there, and have no key. An insert
 * with a key waits for every open transaction that has inserted the same one, and the worker would wait with it.
 */
export function toHandOver({ operation, items }: Group): readonly NewMessage[] {
  if (operation.name !== 'enqueue') return []
  return (items as readonly NewMessage[]).filter(
    ({ key, at_ms, delay_ms }) => key === null && at_ms === null && delay_ms <= 0,
  )
}

/** What became of each item, found in the rows its statement returned. */
export function answersOf<Item, R>(
  operation: BatchOperation<Item, R>,
  items: readonly Item[],
  rows: readonly R[],
  repeated: boolean,
): Answer<R>[] {
  if (operation.rowOf !== undefined && !repeated)
    return items.map((item) => ({ row: operation.rowOf?.(item), repeated }))
  const [only] = items
  // A call that left alone, as most do in a store that is not busy.
  if (items.length === 1 && only !== undefined) return [{ row: rows[0], repeated }]
  const byKey = new Map(rows.map((row) => [operation.rowKeyOf(row), row]))
  return items.map((item) => ({ row: byKey.get(operation.keyOf(item)), repeated }))
}
