import type { HistoryEvent, Mark } from '../history.js'
import { grouped } from '../grouped.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { Call } from '../message-record.js'
import type { SystemObservation } from '../system-observations.js'

type Observed<What extends SystemObservation['what']> = Extract<SystemObservation, { readonly what: What }>

function observed<What extends SystemObservation['what']>(ledger: Ledger, what: What): Observed<What>[] {
  return ledger.system.filter((event): event is Observed<What> => event.what === what)
}

/** A heap that is this much larger at last than at first has grown; less is noise of the collector. */
const HEAP_NOISE_BYTES = 16 * 2 ** 20
const SAMPLES_FOR_A_TREND = 6

function nothingGrows(ledger: Ledger, findings: Findings): void {
  for (const [process, samples] of grouped(observed(ledger, 'resources'), (event) => event.process)) {
    const before = samples.find((sample) => sample.when === 'before')
    const after = samples.findLast((sample) => sample.when === 'after')
    if (before !== undefined && after !== undefined) {
      findings.looked()
      for (const [type, count] of Object.entries(after.counts)) {
        const first = before.counts[type] ?? 0
        if (count <= first) continue
        findings.violation(`${count - first} of ${type} are left`, { process }, [before, after])
      }
    }
    heapIsFlat(process, samples, findings)
  }
}

function heapIsFlat(process: string, samples: readonly Observed<'resources'>[], findings: Findings): void {
  const heaps = samples.flatMap(({ heapBytes }) => (heapBytes === undefined ? [] : [heapBytes]))
  if (heaps.length < SAMPLES_FOR_A_TREND) return
  findings.looked()
  const third = Math.floor(heaps.length / 3)
  const early = Math.max(...heaps.slice(0, third))
  const late = Math.min(...heaps.slice(-third))
  if (late <= early * 1.5 + HEAP_NOISE_BYTES) return
  const says = `the heap grew from at most ${early} to at least ${late} bytes`
  findings.violation(says, { process }, [samples[0], samples.at(-1)])
}

function databaseIsSound(ledger: Ledger, findings: Findings): void {
  for (const event of observed(ledger, 'integrity')) {
    findings.looked()
    for (const problem of event.problems) findings.violation(`${event.check}: ${problem}`, {}, [event])
  }
}

function nothingIsThrownIntoTheVoid(ledger: Ledger, findings: Findings): void {
  findings.looked(observed(ledger, 'watched').length)
  for (const event of observed(ledger, 'uncaught')) {
    findings.violation(event.message, { process: event.process }, [event])
  }
}

/** A promise may be late by this much: the machine is shared, and a time limit is not a stop-watch. */
const LATE_MS = 1000

function everyPromiseSettles(ledger: Ledger, findings: Findings): void {
  for (const event of observed(ledger, 'unsettled')) {
    findings.looked()
    const says = `a promise had not settled after ${event.afterMs} ms`
    findings.violation(says, { op: event.op, process: event.process }, [
      ledger.calls.find(({ invoked }) => invoked.op === event.op)?.invoked,
      event,
    ])
  }
  const last = lastSeen(ledger.history.events)
  const ends = new Map(
    ledger.marks.flatMap((mark) =>
      mark.what === 'process-ended' ? [[mark.target ?? mark.process, mark.mono] as const] : [],
    ),
  )
  // A process that is stopped or blocked cannot be on time.
  const faults = grouped(
    ledger.marks.filter((mark) => mark.what === 'fault' && mark.target !== undefined),
    (mark) => mark.target ?? '',
  )
  for (const call of ledger.calls) settlesInTime(call, ends, faults, last, findings)
}

function settlesInTime(
  { invoked, settled }: Call,
  ends: ReadonlyMap<string, number>,
  faults: ReadonlyMap<string, readonly Mark[]>,
  last: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  const { timeoutMs, process, op, mono } = invoked
  if (timeoutMs === undefined) return
  const deadline = mono + timeoutMs + LATE_MS
  const about = { op, process }
  if (settled === undefined) {
    // Until when it could have settled: its end, or the last that was seen of it.
    if ((ends.get(process) ?? last.get(process) ?? 0) < deadline) return
    findings.looked()
    findings.violation(`a call had not settled ${timeoutMs} ms after it was made`, about, [invoked])
    return
  }
  findings.looked()
  const held = (faults.get(process) ?? []).some(
    (mark) => mark.mono >= mono - timeoutMs && mark.mono <= settled.mono,
  )
  if (settled.mono <= deadline || held) return
  const took = Math.round(settled.mono - mono)
  findings.violation(`a call settled after ${took} ms, its limit is ${timeoutMs} ms`, about, [
    invoked,
    settled,
  ])
}

function lastSeen(events: readonly HistoryEvent[]): Map<string, number> {
  const last = new Map<string, number>()
  for (const event of events) last.set(event.process, event.mono)
  return last
}

function nothingIsLeftBehind(ledger: Ledger, findings: Findings): void {
  for (const event of observed(ledger, 'leftovers')) {
    findings.looked()
    const left = [
      [event.leases, 'leases'],
      [event.openTransactions, 'open transactions'],
      [event.advisoryLocks, 'advisory locks'],
    ] as const
    for (const [count, what] of left) {
      if (count > 0) findings.violation(`${count} ${what} are left in the database`, {}, [event])
    }
  }
}

function secretsStaySecret(ledger: Ledger, findings: Findings): void {
  for (const event of observed(ledger, 'canary')) {
    findings.looked(event.searched)
    for (const place of event.found) findings.violation(`the password is in ${place}`, {}, [event])
  }
}

/** S1 to S6: processes, connections, outputs. */
export const processes: readonly Invariant[] = [
  { id: 'S1', sentence: 'No handles, timers or memory are left or grow', check: nothingGrows },
  { id: 'S2', sentence: 'The database is sound', check: databaseIsSound },
  { id: 'S3', sentence: 'No error escapes from a promise', check: nothingIsThrownIntoTheVoid },
  { id: 'S4', sentence: 'Every promise settles in time', check: everyPromiseSettles },
  { id: 'S5', sentence: 'No lease, transaction or lock is left in the database', check: nothingIsLeftBehind },
  { id: 'S6', sentence: 'No secret is in any output', check: secretsStaySecret },
]
