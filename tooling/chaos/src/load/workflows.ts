import { defineWorkflow, type DriverTransaction, type Run, type WorkflowDefinition } from '@pgqrs/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask, Batch, Flaky, Nap, Transfer } from './payloads.js'
import { takingTime } from './taking-time.js'
import { workflowPolicies, type WorkflowName } from './policies.js'
import { appendTo, executeIn, moveMoney } from './user-sql.js'
import type { Pass, WatchedRun } from './watched-run.js'

/** Opens the watch over one pass of a run. */
export type Watch = <Input, T>(
  run: Run<DriverTransaction>,
  input: Input,
  body: (run: WatchedRun, pass: Pass) => Promise<T>,
) => Promise<T>

/** The workflows of the load. */
export function workflowsOf(watch: Watch): WorkflowDefinition<never, unknown, DriverTransaction, never>[] {
  const define = <Input>(
    name: WorkflowName,
    body: (run: WatchedRun, input: Input, pass: Pass) => Promise<unknown>,
  ): WorkflowDefinition<never, unknown, DriverTransaction, never> =>
    defineWorkflow<Input>(name, workflowPolicies[name], (run, input) =>
      watch(run, input, (watched, pass) => body(watched, input, pass)),
    ) as WorkflowDefinition<never, unknown, DriverTransaction, never>
  return [
    define('chaos_transfer', transfer),
    define('chaos_batch', batch),
    define('chaos_nap', nap),
    define('chaos_ask', ask),
    define('chaos_flaky', flaky),
  ]
}

/** Two keyed steps side by side, a transfer that happens once, and a receipt. */
async function transfer(run: WatchedRun, input: Transfer, { bodies, reached }: Pass): Promise<unknown> {
  const checks = await Promise.all(
    [input.from, input.to].map((key) => run.step('check', { key }, () => `${key}:${bodies.fresh()}`)),
  )
  const moved = await run.transaction('move', {}, (tx, step, operations) => {
    const { from, to, amount, list, disorderly, asynchronous, ms } = input
    const value = bodies.fresh()
    const append = Math.floor(Math.random() * 2 ** 40)
    const money = moveMoney({ run: run.id, step, from, to, amount, value, disorderly })
    const done = (read: readonly number[]): string => {
      operations.push({ list, append }, { list, read })
      reached('in-transaction-body')
      return value
    }
    const moving = executeIn(tx, money)
    if (!asynchronous && moving === undefined) return done(appendTo(tx, list, append) as number[])
    return slowly(moving, ms, () => appendTo(tx, list, append)).then(done)
  })
  const receipt = await run.step('receipt', {}, async () => {
    await takingTime(input.receiptMs)
    return bodies.fresh()
  })
  return { checks, moved, receipt }
}

async function slowly<T>(before: void | Promise<void>, ms: number, then: () => T | Promise<T>): Promise<T> {
  await before
  await sleep(ms)
  return then()
}

/** Branches in parallel, each with a plain and a transactional step. */
async function batch(run: WatchedRun, { pairs, amount }: Batch, { bodies, reached }: Pass): Promise<unknown> {
  return run.map('pair', pairs, async ({ from, to }, branch) => {
    const quoted = await branch.step('quote', {}, () => bodies.fresh())
    const moved = await branch.transaction('move', {}, async (tx, step) => {
      const value = bodies.fresh()
      await executeIn(tx, moveMoney({ run: run.id, step, from, to, amount, value }))
      reached('in-transaction-body')
      return value
    })
    return { quoted, moved }
  })
}

async function nap(run: WatchedRun, { naps }: Nap, { bodies }: Pass): Promise<unknown> {
  const before = await run.step('before', {}, () => bodies.fresh())
  for (const [i, ms] of naps.entries()) await run.sleep(`nap-${i}`, ms)
  const after = await run.step('after', {}, () => bodies.fresh())
  return { before, after }
}

async function ask(run: WatchedRun, { timeoutMs }: Ask, { bodies }: Pass): Promise<unknown> {
  const asked = await run.step('ask', {}, () => bodies.fresh())
  const answer = await run.pause('answer', timeoutMs)
  const heard = await run.step('hear', {}, () => bodies.fresh())
  return { asked, answer, heard }
}

/** A step that fails some of its attempts, and a run that fails some of its own. */
async function flaky(run: WatchedRun, input: Flaky, { bodies }: Pass): Promise<unknown> {
  const tried = await run
    .step('try', {}, ({ attempt }) => {
      if (attempt <= input.stepFails) throw new Error(`attempt ${attempt} of ${input.stepFails} fails`)
      return bodies.fresh()
    })
    .catch((error: unknown) => `gave up: ${(error as Error).message}`)
  const counted = await run.step('count', {}, () => bodies.fresh())
  if (input.runFails > 0) throw new Error('this run fails whenever it is tried')
  return { tried, counted }
}
