import { describe } from 'vitest'
import type { Target } from './target.js'
import { enqueue } from './topics/enqueue.js'
import { enqueueMany } from './topics/enqueue-many.js'
import { keys } from './topics/keys.js'
import { transactional } from './topics/transactional.js'
import { consumer } from './topics/consumer.js'
import { leases } from './topics/leases.js'
import { payloads } from './topics/payloads.js'
import { steps } from './topics/steps.js'

export type { Row, Target, TestDatabase } from './target.js'

/** Runs everything every driver must show. What a driver cannot do is skipped, counted and explained. */
export function exercise(target: Target): void {
  describe(target.name, () => {
    enqueue(target)
    enqueueMany(target)
    keys(target)
    transactional(target)
    consumer(target)
    leases(target)
    payloads(target)
    steps(target)
  })
}
