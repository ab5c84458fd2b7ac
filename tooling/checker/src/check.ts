import type { Facts, HistoryEvent } from './history.js'
import type { History } from './history-file.js'
import { Findings, type Invariant, type Violation } from './invariant.js'
import { invariants } from './invariants.js'
import { Ledger } from './ledger.js'
import { notOffered, type NotChecked } from './not-offered.js'
import { sliceOf } from './slice.js'

/** How to check. */
export interface CheckOptions {
  /**
   * Invariants that this store or load gives nothing to look at, each with the reason: they are checked all the same
   * when there is something. An id that is not known is an error.
   */
  readonly inapplicable?: Readonly<Record<string, string>>
  /** Check these alone. Default: all. */
  readonly only?: readonly string[]
  /** How many violations of one invariant are kept with their slices. Default 3. */
  readonly keep?: number
}

/** A violation with the slice of history that shows it. */
export interface ShownViolation extends Violation {
  readonly slice: readonly HistoryEvent[]
}

/** What became of one invariant. */
export interface Verdict {
  readonly id: string
  readonly sentence: string
  /** Operations looked at. */
  readonly checked: number
  readonly violated: number
  /**
   * `blind`: it looked at nothing, and nobody has said why that may be: a failure.
   * `inapplicable`: it looked at nothing, for the reason given.
   */
  readonly outcome: 'held' | 'violated' | 'blind' | 'inapplicable'
  readonly reason?: string
  readonly violations: readonly ShownViolation[]
}

/** The outcome of a check. */
export interface Report {
  readonly facts: Facts
  readonly events: number
  readonly torn: number
  readonly verdicts: readonly Verdict[]
  readonly notOffered: readonly NotChecked[]
  readonly passed: number
  readonly violated: number
  /** Invariants that were violated or blind. */
  readonly failed: number
  /** Whether nothing failed. */
  readonly ok: boolean
}

/**
 * Checks every invariant over a history.
 * @throws Error when an option names an invariant that there is not
 */
export function check(history: History, options: CheckOptions = {}): Report {
  mustBeKnown([...Object.keys(options.inapplicable ?? {}), ...(options.only ?? [])])
  const ledger = new Ledger(history)
  const wanted = invariants.filter(({ id }) => options.only === undefined || options.only.includes(id))
  const verdicts = wanted.map((invariant) => judge(invariant, ledger, options))
  return {
    facts: history.facts,
    events: history.events.length,
    torn: history.torn,
    notOffered,
    ...countsOf(verdicts),
  }
}

/** Counts verdicts by their outcome. */
export function countsOf(
  verdicts: readonly Verdict[],
): Pick<Report, 'verdicts' | 'passed' | 'violated' | 'failed' | 'ok'> {
  const count = (outcome: Verdict['outcome']): number =>
    verdicts.filter((verdict) => verdict.outcome === outcome).length
  const violated = count('violated')
  const failed = violated + count('blind')
  return { verdicts, passed: count('held'), violated, failed, ok: failed === 0 }
}

function judge({ id, sentence, check }: Invariant, ledger: Ledger, options: CheckOptions): Verdict {
  const findings = new Findings(options.keep ?? 3)
  check(ledger, findings)
  const { checked, violated } = findings
  const reason = options.inapplicable?.[id]
  const violations = findings.violations.map((violation) => ({
    ...violation,
    slice: sliceOf(ledger, violation),
  }))
  const verdict = { id, sentence, checked, violated, violations }
  return { ...verdict, ...outcomeOf(verdict, reason) }
}

/** What an invariant's counters mean; `reason` excuses that it looked at nothing. */
export function outcomeOf(
  { checked, violated }: Pick<Verdict, 'checked' | 'violated'>,
  reason: string | undefined,
): Pick<Verdict, 'outcome' | 'reason'> {
  if (violated > 0) return { outcome: 'violated' }
  if (checked > 0) return { outcome: 'held' }
  return reason === undefined ? { outcome: 'blind' } : { outcome: 'inapplicable', reason }
}

function mustBeKnown(ids: readonly string[]): void {
  const known = new Set(invariants.map(({ id }) => id))
  const strange = ids.filter((id) => !known.has(id))
  if (strange.length > 0) throw new Error(`There is no invariant ${strange.join(', ')}.`)
}
