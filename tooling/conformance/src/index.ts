import { describe } from 'vitest'
import type { Target } from './target.js'
import { enqueue } from './topics/enqueue.js'

export type { Row, Target, TestDatabase } from './target.js'

/** Runs everything every driver must show. What a driver cannot do is skipped, counted and explained. */
export function exercise(target: Target): void {
  describe(target.name, () => {
    enqueue(target)
  })
}
