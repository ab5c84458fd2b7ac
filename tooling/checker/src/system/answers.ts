import { grouped } from '../grouped.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'

function storesAgree(ledger: Ledger, findings: Findings): void {
  const answers = ledger.system.filter((event) => event.what === 'answers')
  for (const [script, all] of grouped(answers, (event) => event.script)) {
    const [first, ...others] = all
    if (first === undefined) continue
    for (const other of others) {
      findings.looked(first.answers.length)
      const length = Math.max(first.answers.length, other.answers.length)
      for (let i = 0; i < length; i++) {
        const [a, b] = [first.answers[i] ?? 'nothing', other.answers[i] ?? 'nothing']
        if (a === b) continue
        const says = `operation ${i} of script ${script}: ${first.store} answers ${a}, ${other.store} answers ${b}`
        findings.violation(says, { op: script }, [first, other])
        break
      }
    }
  }
}

/** S7: the same operations have the same answers on every store. */
export const answers: readonly Invariant[] = [
  { id: 'S7', sentence: 'All stores give the same answers', check: storesAgree },
]
