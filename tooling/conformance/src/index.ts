import { describe } from 'vitest'
import type { Target } from './target.js'
import { crash } from './topics/crash.js'
import { lostAnswers } from './topics/lost-answers.js'
import { outages } from './topics/outages.js'
import { places } from './topics/places.js'
import { processes } from './topics/processes.js'
import { zombie } from './topics/zombie.js'
import { enqueue } from './topics/enqueue.js'
import { enqueueMany } from './topics/enqueue-many.js'
import { enqueueStream } from './topics/enqueue-stream.js'
import { keep } from './topics/keep.js'
import { keys } from './topics/keys.js'
import { transactional } from './topics/transactional.js'
import { consumer } from './topics/consumer.js'
import { leases } from './topics/leases.js'
import { handlers } from './topics/handlers.js'
import { retries } from './topics/retries.js'
import { strangeOutcomes } from './topics/strange-outcomes.js'
import { stopping } from './topics/stopping.js'
import { deadLetters } from './topics/dead-letters.js'
import { workers } from './topics/workers.js'
import { workerStates } from './topics/worker-states.js'
import { queues } from './topics/queues.js'
import { metrics } from './topics/metrics.js'
import { retention } from './topics/retention.js'
import { wake } from './topics/wake.js'
import { standingClaims } from './topics/standing-claims.js'
import { resources } from './topics/resources.js'
import { badArguments } from './topics/arguments.js'
import { install } from './topics/install.js'
import { names } from './topics/names.js'
import { payloads } from './topics/payloads.js'
import { validation } from './topics/validation.js'
import { steps } from './topics/steps.js'
import { stepRetries } from './topics/step-retries.js'
import { errors } from './topics/errors.js'
import { parallel } from './topics/parallel.js'
import { divergence } from './topics/divergence.js'
import { interrupted } from './topics/interrupted.js'
import { sleep } from './topics/sleep.js'
import { pause } from './topics/pause.js'
import { cancel } from './topics/cancel.js'
import { results } from './topics/results.js'
import { transaction } from './topics/transaction.js'
import { asMessages } from './topics/as-messages.js'
import { idle } from './topics/idle.js'
import { callsTogether } from './topics/calls-together.js'
import { lostFlushes } from './topics/lost-flushes.js'
import { roundTrips } from './topics/round-trips.js'
import { clockJumps } from './topics/clock-jumps.js'
import { rivalsLeases } from './topics/rivals-leases.js'
import { rivalsRuns } from './topics/rivals-runs.js'
import { rivalsWorkers } from './topics/rivals-workers.js'

export { HintOnlyClock } from './hint-only-clock.js'
export { expectBounded } from './many-callers.js'
export { expectFlat, startSteadyLoad } from './steady-load.js'
export type { Row, Target, TestDatabase } from './target.js'

const topics = {
  enqueue,
  crash,
  lostAnswers,
  outages,
  places,
  standingClaims,
  processes,
  zombie,
  enqueueMany,
  enqueueStream,
  keep,
  keys,
  transactional,
  consumer,
  leases,
  handlers,
  retries,
  strangeOutcomes,
  stopping,
  deadLetters,
  workers,
  workerStates,
  queues,
  metrics,
  retention,
  wake,
  resources,
  payloads,
  validation,
  names,
  badArguments,
  install,
  steps,
  stepRetries,
  errors,
  parallel,
  divergence,
  interrupted,
  sleep,
  pause,
  cancel,
  results,
  transaction,
  asMessages,
  roundTrips,
  callsTogether,
  lostFlushes,
  clockJumps,
  rivalsLeases,
  rivalsWorkers,
  rivalsRuns,
} satisfies Record<string, (target: Target) => void>

/** Name of a part of the suite. */
export type Topic = keyof typeof topics

/**
 * Runs everything every driver must show. What a driver cannot do is skipped, counted and explained.
 * @param chosen which topics, for a suite in several files. Default: all of them.
 */
export function exercise(target: Target, chosen: (topic: Topic) => boolean = () => true): void {
  describe(target.name, () => {
    for (const [name, topic] of Object.entries(topics)) if (chosen(name as Topic)) topic(target)
    idle(target)
  })
}
