import { describe } from 'vitest'
import type { Target } from './target.js'
import { crash } from './topics/crash.js'
import { lostAnswers } from './topics/lost-answers.js'
import { outages } from './topics/outages.js'
import { processes } from './topics/processes.js'
import { zombie } from './topics/zombie.js'
import { enqueue } from './topics/enqueue.js'
import { enqueueMany } from './topics/enqueue-many.js'
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

export type { Row, Target, TestDatabase } from './target.js'

/** Runs everything every driver must show. What a driver cannot do is skipped, counted and explained. */
export function exercise(target: Target): void {
  describe(target.name, () => {
    enqueue(target)
    crash(target)
    lostAnswers(target)
    outages(target)
    processes(target)
    zombie(target)
    enqueueMany(target)
    keys(target)
    transactional(target)
    consumer(target)
    leases(target)
    handlers(target)
    retries(target)
    strangeOutcomes(target)
    stopping(target)
    deadLetters(target)
    workers(target)
    workerStates(target)
    queues(target)
    metrics(target)
    retention(target)
    wake(target)
    resources(target)
    payloads(target)
    validation(target)
    names(target)
    badArguments(target)
    install(target)
    steps(target)
    stepRetries(target)
    errors(target)
    parallel(target)
    divergence(target)
    interrupted(target)
    sleep(target)
    pause(target)
    cancel(target)
    results(target)
    transaction(target)
    asMessages(target)
  })
}
