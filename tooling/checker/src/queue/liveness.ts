import { grouped } from '../grouped.js'
import type { HistoryEvent, Mark } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal } from '../message-record.js'

/**
 * After the faults are over every worker does something within two leases. The harness gives each of them something to
 * do then (a message on a queue of its own), otherwise the quicker ones may leave nothing for the others.
 */
function everythingGoesOn(ledger: Ledger, findings: Findings): void {
  const healed = ledger.mark('healed')
  if (healed !== undefined) workersAnswer(healed, ledger, findings)
  const quiet = ledger.mark('quiet')
  if (quiet === undefined) return
  for (const row of ledger.table('messages')) {
    findings.looked()
    if (isFinal(row.status)) continue
    findings.violation(`${row.status} when nothing should be left to do`, { id: row.id }, [quiet, row])
  }
}

function workersAnswer(healed: Mark, ledger: Ledger, findings: Findings): void {
  const { leaseMs, pollMs } = ledger.facts
  // A worker with proved hints polls every five poll intervals; and the machine may be busy.
  const withinMs = 2 * leaseMs + 5 * pollMs + 20 * ledger.slackMs
  const seen = grouped(
    ledger.history.events.filter((event) => event.mono >= healed.mono),
    (event) => event.process,
  )
  for (const started of ledger.marks) {
    if (started.what !== 'process-started' || started.worker !== true || started.mono > healed.mono) continue
    const name = started.target ?? started.process
    const ended = ledger.marks.find((mark) => mark.what === 'process-ended' && mark.target === name)
    const events = seen.get(name) ?? []
    // A process that was started shortly before has to come up first.
    const from = events.find((event) => event.kind === 'opened')?.mono ?? healed.mono
    if (ended !== undefined && ended.mono < from + withinMs) continue
    findings.looked()
    if (events.some((event) => isWork(event) && event.mono <= from + withinMs)) continue
    const says = `worker ${name} did nothing within ${withinMs} ms after the faults were over`
    findings.violation(says, { process: name }, [started, healed])
  }
}

function isWork(event: HistoryEvent): boolean {
  return (
    event.kind === 'started' ||
    event.kind === 'ended' ||
    event.kind === 'boundary' ||
    event.kind === 'accepted'
  )
}

/** Q20: work goes on. */
export const liveness: readonly Invariant[] = [
  {
    id: 'Q20',
    sentence: 'After the faults every worker works and the backlog drains',
    check: everythingGoesOn,
  },
]
