import type { ChaosOptions } from './options.js'

/** Invariants that a run with these options can give nothing to look at, and why. */
export function inapplicable({ seconds, store }: ChaosOptions): Record<string, string> {
  const none: Record<string, string> = {}
  if (seconds < 20) {
    none['W9'] = 'the load was too short for signals'
    none['W15'] = 'the load was too short for results'
  }
  if (store === 'sqlite') none['S6'] = 'a SQLite file has no secret'
  return none
}
