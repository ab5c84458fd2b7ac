import { v4, v7 } from 'uuid'

/** The only way randomness enters the engine. */
export interface Random {
  /** A time-ordered id (UUIDv7) for a message or worker. */
  id(): string
  /** An unguessable id (UUIDv4) for one grant of a lease. */
  leaseId(): string
  /** A number in [0, 1) for jitter. */
  fraction(): number
}

// The platform's generator costs more per call than per byte: one call serves 512 ids.
const pool = new Uint8Array(16 * 512)
let used = pool.length

function sixteenBytes(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  return pool.subarray(used, (used += 16))
}

// Ids of one process grow within a millisecond too: a queue serves messages of one moment in the order of their ids.
let msecs = 0
let seq = 0

function nextId(): string {
  const random = sixteenBytes()
  const now = Date.now()
  if (now > msecs) {
    msecs = now
    // The highest bit is left free, so that a burst does not run over.
    seq = ((random[0] ?? 0) << 23) | ((random[1] ?? 0) << 15) | ((random[2] ?? 0) << 7)
  } else if (++seq > 0xffff_ffff) {
    msecs++
    seq = 0
  }
  return v7({ random, msecs, seq })
}

/** Randomness of the platform. */
export const systemRandom: Random = {
  id: nextId,
  leaseId: () => v4(),
  fraction: () => Math.random(),
}
