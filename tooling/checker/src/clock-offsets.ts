import type { CheckpointTransition, MessageTransition } from './history.js'

/** By how much the database's clock was ahead of `mono`: every transition tells both. It may have been set forward. */
export class ClockOffsets {
  private readonly monos: Float64Array
  /** The greatest offset up to each transition. */
  private readonly greatest: Float64Array

  constructor(
    changes: readonly (MessageTransition | CheckpointTransition)[],
    private readonly otherwise: number,
  ) {
    const ordered = [...changes].sort((a, b) => a.mono - b.mono)
    this.monos = Float64Array.from(ordered, (change) => change.mono)
    let most = -Infinity
    this.greatest = Float64Array.from(ordered, (change) => (most = Math.max(most, change.dbAt - change.mono)))
  }

  /** The most it can have been at this time: a step forward may have come at any time before the next transition. */
  atMost(mono: number): number {
    let low = 0
    let high = this.monos.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.monos[middle] ?? Infinity) <= mono) low = middle + 1
      else high = middle
    }
    return this.greatest[low] ?? this.otherwise
  }
}
