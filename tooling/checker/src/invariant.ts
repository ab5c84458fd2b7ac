import type { HistoryEvent } from './history.js'
import type { Ledger } from './ledger.js'

/** One sentence that must be true of every history, and the function that finds out. */
export interface Invariant {
  /** As reference/reliability.md section 4 counts them: `Q1`, `W5`, `S3`. */
  readonly id: string
  readonly sentence: string
  readonly check: (ledger: Ledger, findings: Findings) => void
}

/** What a violation is about: decides which events its slice of history shows. */
export interface Subject {
  /** A message or a run. */
  readonly id?: string
  readonly step?: string
  readonly account?: string
  readonly process?: string
  readonly op?: string
  readonly queue?: string
}

/** An invariant that did not hold. */
export interface Violation {
  readonly says: string
  readonly about: Subject
  /** The events that prove it, in the order of the proof. */
  readonly evidence: readonly HistoryEvent[]
}

/** What the check of one invariant has seen. */
export class Findings {
  checked = 0
  violated = 0
  readonly violations: Violation[] = []

  constructor(private readonly keep: number) {}

  /** Counts operations that were looked at: without any the invariant proves nothing. */
  looked(operations = 1): void {
    this.checked += operations
  }

  violation(says: string, about: Subject, evidence: readonly (HistoryEvent | undefined)[] = []): void {
    this.violated++
    if (this.violations.length >= this.keep) return
    this.violations.push({ says, about, evidence: evidence.filter((event) => event !== undefined) })
  }
}
