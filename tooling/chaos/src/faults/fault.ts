import type { StoreKind } from '@pgqrs/checker'
import type { ChaosDatabase } from '../databases/database.js'
import type { Dice } from '../dice.js'
import type { Place } from '../crew.js'
import type { Call } from '../load/calls.js'

/** What a fault strikes. */
export interface Field {
  readonly database: ChaosDatabase
  readonly workers: readonly Place[]
  /** Workers, and consumers that claim by hand. */
  readonly holders: readonly Place[]
  readonly clients: readonly Place[]
  /** Makes calls past all faults of the network. */
  readonly call: (calls: readonly Call[]) => Promise<void>
  /** Notes that the database has gone back in time: see `Rewound`. */
  readonly rewound: (from: number, to: number) => void
  /** Waits, or rejects as soon as the nemesis is called off. */
  readonly pause: (ms: number) => Promise<void>
}

/** Something that goes wrong. */
export interface Fault {
  readonly name: string
  readonly stores: readonly StoreKind[]
  /** What it strikes. Of two that strike the same, one is over before the other begins. */
  readonly strikes: 'processes' | 'database'
  /** The longest it takes, ms. */
  readonly lastsMs: number
  /** How often it is drawn, in relation to others. Default 1. */
  readonly weight?: number
  /** Why it cannot be had here; undefined: it can. */
  missing?(database: ChaosDatabase): string | undefined
  /** Goes wrong. Resolves when it has healed, also when `pause` rejects. */
  strike(field: Field, dice: Dice): Promise<void>
}

export const everyStore: readonly StoreKind[] = ['sqlite', 'turso', 'postgres']
