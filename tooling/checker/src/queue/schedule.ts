import type { MessageTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal, isHeld, type MessageRecord } from '../message-record.js'
import type { MessageState } from '../states.js'
import { GreaterCounter } from './order-statistics.js'

const ROUNDING_MS = 1
const PASSED_OVER_AT_MOST = 1000

function nothingIsEarly(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const about = { id: record.id }
    for (const { transition } of record.grants) {
      const { before, dbAt } = transition
      if (before === null || isHeld(before)) continue
      findings.looked()
      if (before.vt <= dbAt + ROUNDING_MS) continue
      const early = Math.round(before.vt - dbAt)
      findings.violation(`claimed ${early} ms before it was due`, about, [transition])
    }
    delayIsKept(record, ledger, findings)
    for (const change of record.transitions) backoffIsKept(record, change, ledger, findings)
    releasesArePutOff(record, ledger, findings)
  }
}

function delayIsKept(record: MessageRecord, ledger: Ledger, findings: Findings): void {
  const [first] = record.enqueues
  const [start] = record.starts
  const delayMs = first?.message.delayMs ?? 0
  if (first === undefined || start === undefined || delayMs === 0) return
  findings.looked()
  const waited = start.mono - first.invoked.mono
  if (waited + ROUNDING_MS >= delayMs) return
  const says = `delivered ${Math.round(waited)} ms after its enqueue with a delay of ${delayMs} ms`
  findings.violation(says, { id: record.id }, [first.invoked, start])
}

function backoffIsKept(
  record: MessageRecord,
  change: MessageTransition,
  ledger: Ledger,
  findings: Findings,
): void {
  const { before, after } = change
  if (before === null || after?.status !== 'queued' || after.failures !== before.failures + 1) return
  const { minBackoffMs } = ledger.facts.queues[after.queue] ?? {}
  const failed = record.ends.findLast((end) => end.lease === before.lease && end.how === 'threw')
  if (minBackoffMs === undefined || failed === undefined) return
  findings.looked()
  // What the clocks of host and database differ by is known at the change.
  const waits = after.vt - change.dbAt + change.mono - failed.mono
  if (waits + ledger.slackMs + ROUNDING_MS >= minBackoffMs) return
  const says = `due ${Math.round(waits)} ms after a failure, not ${minBackoffMs} ms`
  findings.violation(says, { id: change.id }, [failed, change])
}

/** What was given back by hand with a delay is due that much later. */
function releasesArePutOff(record: MessageRecord, ledger: Ledger, findings: Findings): void {
  for (const { invoked, settled, outcome } of record.calls) {
    if (invoked.name !== 'release' || outcome !== 'ok') continue
    const { lease, delayMs = 0 } = invoked
    const change = record.transitions.find(
      ({ before, after }) => before?.lease === lease && after?.status === 'queued',
    )
    if (change?.after === null || change?.after === undefined) continue
    findings.looked()
    const waits = change.after.vt - change.dbAt + change.mono - invoked.mono
    if (waits + ledger.slackMs + ROUNDING_MS >= delayMs) continue
    const says = `given back for ${delayMs} ms, and due after ${Math.round(waits)} ms`
    findings.violation(says, { id: record.id }, [invoked, settled, change])
  }
}

/** A stretch of time in which a message stood in its lane. */
interface Waiting {
  readonly from: number
  readonly until: number
  readonly vt: number
  readonly change: MessageTransition
}

interface Lane {
  readonly claims: MessageTransition[]
  readonly waits: Waiting[]
}

function nobodyIsPassedOver(ledger: Ledger, findings: Findings): void {
  const lanes = new Map<string, Lane>()
  for (const record of ledger.messages.values()) enterWaits(record, lanes)
  for (const { claims, waits } of lanes.values()) {
    claims.sort((a, b) => a.dbAt - b.dbAt)
    const counter = new GreaterCounter(claims.map(dueAt))
    const counts = new Map<Waiting, number>()
    const points = waits
      .flatMap((wait) => [
        { at: wait.from, wait, sign: -1 },
        { at: wait.until, wait, sign: 1 },
      ])
      .sort((a, b) => a.at - b.at)
    let next = 0
    for (const { at, wait, sign } of points) {
      for (let claim = claims[next]; claim !== undefined && claim.dbAt < at; claim = claims[++next]) {
        counter.add(dueAt(claim))
      }
      counts.set(wait, (counts.get(wait) ?? 0) + sign * counter.greater(wait.vt))
    }
    findings.looked(waits.length)
    for (const [wait, count] of counts) {
      if (count <= (ledger.facts.passedOverAtMost ?? PASSED_OVER_AT_MOST)) continue
      const says = `${count} messages that became due later were claimed before it`
      findings.violation(says, { id: wait.change.id }, [wait.change])
    }
  }
}

/** When what was claimed was due. What is handed over as it is inserted is due at that moment. */
function dueAt({ before, dbAt }: MessageTransition): number {
  return before?.vt ?? dbAt
}

function enterWaits(record: MessageRecord, lanes: Map<string, Lane>): void {
  record.transitions.forEach((change, index) => {
    const { before, after, dbAt } = change
    const of = after ?? before
    if (of === null) return
    const name = `${of.queue}\0${of.priority}`
    const lane = lanes.get(name) ?? { claims: [], waits: [] }
    lanes.set(name, lane)
    if (after !== null && after.claims > (before?.claims ?? 0)) lane.claims.push(change)
    const next = record.transitions[index + 1]
    if (after === null || isFinal(after.status) || next === undefined) return
    // An insert is visible to others only after its commit.
    const known = before === null ? Math.max(dbAt, acknowledged(record) + dbAt - change.mono) : dbAt
    const from = Math.max(known, after.vt)
    if (from < next.dbAt) lane.waits.push({ from, until: next.dbAt, vt: after.vt, change })
  })
}

function acknowledged(record: MessageRecord): number {
  const settled = record.enqueues.find((call) => call.outcome === 'ok')?.settled
  return settled === undefined ? Infinity : settled.mono
}

function keysAreTakenOnce(ledger: Ledger, findings: Findings): void {
  const holders = new Map<string, MessageTransition>()
  const takes = (state: MessageState | null): string | undefined =>
    state === null || state.key === null || (!state.keyKept && isFinal(state.status))
      ? undefined
      : `${state.queue}\0${state.key}`
  for (const change of ledger.changes) {
    if (change.kind !== 'message') continue
    const had = takes(change.before)
    const has = takes(change.after)
    if (had !== undefined && had !== has && holders.get(had)?.id === change.id) holders.delete(had)
    if (has === undefined || has === had) continue
    findings.looked()
    const holder = holders.get(has)
    if (holder !== undefined && holder.id !== change.id) {
      const says = `the key ${change.after?.key ?? ''} was taken by ${holder.id} already`
      findings.violation(says, { id: change.id }, [holder, change])
    }
    holders.set(has, change)
  }
}

/** Q12, Q14 and Q16: when a message may be delivered, and in whose company. */
export const schedule: readonly Invariant[] = [
  { id: 'Q12', sentence: 'Nothing is delivered before it is due', check: nothingIsEarly },
  { id: 'Q14', sentence: 'No message that is due is passed over for long', check: nobodyIsPassedOver },
  { id: 'Q16', sentence: 'A key belongs to one message at a time', check: keysAreTakenOnce },
]
