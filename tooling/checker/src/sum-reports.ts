import { countsOf, outcomeOf, type CheckOptions, type Report, type Verdict } from './check.js'
import type { Facts } from './history.js'

/** Adds up the reports of many short runs: an invariant is blind only when it looked at nothing in all of them. */
export class ReportSum {
  private readonly verdicts = new Map<string, Verdict>()
  private events = 0
  private torn = 0
  private notOffered: Report['notOffered'] = []

  constructor(
    private readonly facts: Facts,
    private readonly options: Pick<CheckOptions, 'inapplicable' | 'keep'> = {},
  ) {}

  add(report: Report): void {
    this.events += report.events
    this.torn += report.torn
    this.notOffered = report.notOffered
    for (const verdict of report.verdicts) {
      const sum = this.verdicts.get(verdict.id)
      this.verdicts.set(verdict.id, sum === undefined ? verdict : this.sumOf(sum, verdict))
    }
  }

  /** The sum so far, under the facts given. */
  get report(): Report {
    const verdicts = [...this.verdicts.values()].map((verdict) => ({
      ...verdict,
      ...outcomeOf(verdict, this.options.inapplicable?.[verdict.id]),
    }))
    const { facts, events, torn, notOffered } = this
    return { facts, events, torn, notOffered, ...countsOf(verdicts) }
  }

  private sumOf(sum: Verdict, verdict: Verdict): Verdict {
    return {
      ...sum,
      checked: sum.checked + verdict.checked,
      violated: sum.violated + verdict.violated,
      violations: [...sum.violations, ...verdict.violations].slice(0, this.options.keep ?? 3),
    }
  }
}
