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

/** Randomness of the platform. */
export const systemRandom: Random = {
  id: () => v7(),
  leaseId: () => v4(),
  fraction: () => Math.random(),
}
