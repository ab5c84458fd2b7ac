import { WriterQueue } from '@pgqrs/core/driver'

const known = new WeakMap<object, WriterQueue>()

/** The queue of a connection: stores that share one must not write into each other's transactions. */
export function writersOf(connection: object): WriterQueue {
  let writers = known.get(connection)
  if (writers === undefined) {
    writers = new WriterQueue()
    known.set(connection, writers)
  }
  return writers
}
