import type { MessageTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal, isHeld, type Call, type MessageRecord } from '../message-record.js'
import type { MessageState } from '../states.js'
import { sameValue } from '../values.js'

type Status = MessageState['status']

/** The declared graph (docs/architecture.md): where each status may lead. A message stays, or is deleted, in any. */
const edges: Readonly<Record<Status, readonly Status[]>> = {
  queued: ['running', 'cancelled', 'success'],
  running: ['queued', 'paused', 'cancelling', 'success', 'error'],
  paused: ['queued', 'running', 'cancelled', 'success'],
  cancelling: ['cancelled'],
  success: [],
  // An operator's replay.
  error: ['queued'],
  cancelled: [],
}

function statesFollowTheGraph(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    for (const change of record.transitions) {
      const { before, after } = change
      if (after === null) continue
      findings.looked()
      if (before === null) {
        // What somebody waits for may be held from the start.
        if (after.status !== 'queued' && !(after.status === 'running' && after.lease !== null))
          findings.violation(`began as ${after.status}`, { id: record.id }, [change])
        continue
      }
      if (before.status === after.status) continue
      // What is held under a lease that has lapsed is held by nobody.
      const lapsed =
        isHeld(before) && before.vt <= change.dbAt + ledger.slackMs && after.status === 'cancelled'
      const known = lapsed || edges[before.status].includes(after.status)
      const byOperator = before.status !== 'error' || record.hasCall('retry')
      // Only an operator archives what nobody holds.
      const archived =
        before.status === 'running' || after.status !== 'success' || record.hasCall('archiveByOperator')
      if (known && byOperator && archived) continue
      findings.violation(`went from ${before.status} to ${after.status}`, { id: record.id }, [change])
    }
  }
}

function cancelIsObeyed(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const cancel = record.calls.find(
      ({ invoked, outcome, settled }) =>
        invoked.name === 'cancel' && outcome === 'ok' && settled?.value?.taken !== false,
    )
    if (cancel === undefined) continue
    findings.looked()
    const asked = record.transitions.find(
      (change) => isCancelled(change.after) && !isCancelled(change.before),
    )
    endsCancelled(record, cancel, findings)
    if (asked !== undefined) startsNothing(record, asked, ledger, findings)
  }
}

function isCancelled(state: MessageState | null): boolean {
  return state?.status === 'cancelling' || state?.status === 'cancelled'
}

function endsCancelled(record: MessageRecord, { invoked, settled }: Call, findings: Findings): void {
  const state = record.finalState
  if (state === undefined || state === null || !isFinal(state.status) || state.status === 'cancelled') return
  // It had ended before, or an operator has replayed it since.
  if (settled?.value?.status !== undefined && !settled.value.status.startsWith('cancel')) return
  if (record.hasCall('retry')) return
  findings.violation(`a cancel was acknowledged, and it ended as ${state.status}`, { id: record.id }, [
    invoked,
    settled,
    record.transitions.find((change) => isFinal(change.after?.status)),
    record.row,
  ])
}

/** Whoever has been told of the cancel, by the claim or by the answer to a checkpoint, begins no other step. */
function startsNothing(
  record: MessageRecord,
  asked: MessageTransition,
  ledger: Ledger,
  findings: Findings,
): void {
  const end = record.transitions.find((change) => change.after?.status === 'cancelled')
  for (const start of record.starts) {
    if (start.of !== 'step' && start.of !== 'transaction') continue
    const grant = record.grantOf(start.lease)?.transition
    const about = { id: record.id }
    if (grant !== undefined && grant.seq > asked.seq) {
      findings.violation('a step began in a run that was claimed to be cancelled', about, [
        asked,
        grant,
        start,
      ])
      continue
    }
    const told = record
      .checkpointsOf(start.after ?? '')
      .find((change) => change.runStatus === 'cancelling' && change.runLease === start.lease)
    if (told !== undefined) {
      findings.violation('a step began after the step before it was told of the cancel', about, [
        asked,
        told,
        start,
      ])
    } else if (
      end?.before?.lease === start.lease &&
      isHeld(end.before) &&
      end.before.vt > end.dbAt &&
      start.mono > end.mono + ledger.slackMs
    ) {
      findings.violation('a step began after the run was cancelled', about, [end, start])
    }
  }
}

/** A result, its status and the end of the message are one change: no crash can come between them. */
function endIsOneChange(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    for (const change of record.transitions) {
      const { before, after } = change
      if (after === null) continue
      const about = { id: record.id }
      const final = isFinal(after.status)
      if (final && !isFinal(before?.status)) findings.looked()
      if (final !== (after.finishedAt !== null)) {
        findings.violation(`${after.status}, but ${final ? 'not ' : ''}finished`, about, [change])
      }
      const output = after.output ?? null
      if (!final && output !== null) findings.violation('a result is there before the end', about, [change])
    }
  }
}

function resultsAgree(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const results = record.calls.filter(
      ({ invoked, outcome }) => invoked.name === 'result' && outcome === 'ok',
    )
    const [first] = results
    if (first === undefined) continue
    const replayed = record.hasCall('retry')
    for (const call of results) {
      findings.looked()
      resultIsTheEnd(record, call, ledger, findings)
      const agrees =
        call.settled?.value?.status === first.settled?.value?.status &&
        sameValue(call.settled?.value?.output ?? null, first.settled?.value?.output ?? null)
      if (agrees || replayed) continue
      findings.violation('two readers got different results', { id: record.id }, [
        first.settled,
        call.settled,
      ])
    }
  }
}

function resultIsTheEnd(record: MessageRecord, { settled }: Call, ledger: Ledger, findings: Findings): void {
  if (settled?.value === undefined || record.transitions.length === 0) return
  const { status, output } = settled.value
  const end = record.transitions.find(
    ({ after, mono }) =>
      isFinal(after?.status) &&
      after?.status === status &&
      mono <= settled.mono + ledger.slackMs &&
      (output === undefined || after?.output === undefined || sameValue(output, after.output)),
  )
  if (end !== undefined) return
  findings.violation(
    `a result (${status ?? 'without status'}) was given that the message did not have then`,
    { id: record.id },
    [settled, record.last],
  )
}

/** W1, W12, W13 and W15: what a run as a whole goes through. */
export const states: readonly Invariant[] = [
  { id: 'W1', sentence: 'States follow the declared graph', check: statesFollowTheGraph },
  { id: 'W12', sentence: 'A cancelled run begins no new step and ends cancelled', check: cancelIsObeyed },
  { id: 'W13', sentence: 'The end and its result are one change', check: endIsOneChange },
  { id: 'W15', sentence: 'A result is that of the end, the same for every reader', check: resultsAgree },
]
