import type { Driver, Statement } from '@pgqrs/core/driver'
import { interpose } from './interpose.js'

// How each transition begins or what only it has in it, once the text is plain: see `plain`.
const texts = {
  install: /^insert into pgqrs_migrations/,
  handOver: /^insert into pgqrs_messages .* with handed as /,
  enqueue: /^insert into pgqrs_messages/,
  claim: /^with recursive wanted .* update pgqrs_messages/,
  nextDue: /^with recursive wanted .* as wait_ms from lanes/,
  recover: /^select pgqrs_messages\.id.* where lease_id = /,
  hold: /^select status from pgqrs_messages where id = .* and lease_id = /,
  record: /^insert into pgqrs_steps .* do update/,
  signal: /^insert into pgqrs_steps .* do nothing/,
  forget: /^delete from pgqrs_steps where run_id = .* and name = /,
  finish: /^update pgqrs_messages set status = case .*\br\.output\b/,
  release: /^update pgqrs_messages set status = case .*\br\.unless_steps\b/,
  extend: /^update pgqrs_messages set vt = .*\br\.lease_ms\b/,
  delete: /^delete from pgqrs_messages where \(id, lease_id\) in \(select r\.id/,
  cancel: /^update pgqrs_messages set status = case when status in \('running', 'cancelling'\) and vt > /,
  outcomes: /^select id, queue, status, output, error from pgqrs_messages where .* union all/,
  get: /^select id, queue, .* from pgqrs_messages where id (in|= any)/,
  heartbeat: /^update pgqrs_workers set heartbeat_at = /,
  lookForCancels: /^select id, lease_id from pgqrs_messages where id .* and status = 'cancelling'$/,
  lookAtWorker: /^select status from pgqrs_workers where id = /,
} as const

/** A statement of the engine's that moves a message or a run, or looks at one. */
export type Transition = keyof typeof texts

const known = new Map<string, Transition | undefined>()

/** Which transition a statement is; undefined for all others. */
export function transitionOf({ sql }: Statement): Transition | undefined {
  if (!known.has(sql)) {
    const text = plain(sql)
    const [found] = Object.entries(texts).find(([, pattern]) => pattern.test(text)) ?? []
    known.set(sql, found as Transition | undefined)
  }
  return known.get(sql)
}

// Without schema, quotes, line breaks and the wrapping that counts finished messages: the same on all databases.
function plain(sql: string): string {
  return sql
    .replaceAll(/"\w+"\.(?="pgqrs_)|"/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^with changed as \(/, '')
}

/** Places on the way of a run through its process where the process may end. */
export const crashPoints = [
  'before-claim',
  'after-claim',
  'in-step-body',
  'after-body-before-checkpoint',
  'after-checkpoint',
  'before-transaction',
  'in-transaction-body',
  'before-commit',
  'during-commit',
  'after-commit-before-answer',
  'after-last-step-before-completion',
  'after-completion-before-answer',
] as const

/** One of {@link crashPoints}. */
export type CrashPoint = (typeof crashPoints)[number]

const around: Partial<Record<Transition, { readonly before: CrashPoint; readonly after: CrashPoint }>> = {
  claim: { before: 'before-claim', after: 'after-claim' },
  record: { before: 'after-body-before-checkpoint', after: 'after-checkpoint' },
  finish: { before: 'after-last-step-before-completion', after: 'after-completion-before-answer' },
}

/**
 * Calls `reached` whenever the engine comes by a crash point: for `connect({ wrapDriver })`. The points inside of
 * bodies are the bodies' to report.
 */
export function reportCrashPoints(reached: (point: CrashPoint) => void): (driver: Driver) => Driver {
  return (driver) =>
    interpose(driver, {
      execute: async (statements) => {
        const points = statements.flatMap((statement) => around[transitionOf(statement) ?? 'hold'] ?? [])
        for (const { before } of points) reached(before)
        const rows = await driver.execute(statements)
        // A claim that took nothing has not come by.
        if (rows.some((some) => some.length > 0)) for (const { after } of points) reached(after)
        return rows
      },
      transaction: async (plan) => {
        // Whether a lost commit took effect is found out in a transaction that records nothing.
        const seen = { record: false }
        reached('before-transaction')
        const value = await driver.transaction({
          ...plan,
          after: (result) => {
            const statements = plan.after(result)
            seen.record = statements.some((statement) => transitionOf(statement) === 'record')
            return statements
          },
          checkAfter: (rows) => {
            plan.checkAfter(rows)
            if (seen.record) beforeCommit(driver, reached)
          },
        })
        if (seen.record) reached('after-commit-before-answer')
        return value
      },
    })
}

function beforeCommit({ capabilities }: Driver, reached: (point: CrashPoint) => void): void {
  reached('before-commit')
  const now = (): void => {
    reached('during-commit')
  }
  // A client in this process commits in this very turn, one with a server writes COMMIT at the end of it.
  if (capabilities.clock === 'host') queueMicrotask(now)
  else setImmediate(() => setImmediate(now))
}
