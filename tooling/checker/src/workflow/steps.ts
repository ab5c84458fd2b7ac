import type { BodyStarted, CheckpointTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { MessageRecord } from '../message-record.js'
import type { CheckpointState } from '../states.js'
import { sameValue } from '../values.js'

function isRecorded(state: CheckpointState | null): state is CheckpointState {
  return state !== null && state.status !== 'retrying'
}

function resultsStayWhatTheyAre(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    for (const change of record.checkpoints) {
      findings.looked()
      const { before, after } = change
      if (!isRecorded(before)) continue
      // A failed step is forgotten so that the retry of its run may run it again; what was a success never is.
      if (after === null && (before.status !== 'success' || isPurged(record))) continue
      // Also by the same value: whoever can do that can do it with another one.
      const says = after === null ? 'a result was forgotten' : 'a recorded result was overwritten'
      findings.violation(says, { id: record.id, step: change.step }, [change])
    }
    if (!record.rewound) codeSeesOneValue(record, findings)
  }
}

/** Retention and purge delete checkpoints before their runs. */
function isPurged(record: MessageRecord): boolean {
  return record.last?.after === null || record.hasCall('purge')
}

function codeSeesOneValue(record: MessageRecord, findings: Findings): void {
  const first = new Map<string, (typeof record.boundaries)[number]>()
  const recorded = new Map<string, string | null>()
  for (const { step, after } of record.checkpoints) {
    if (after?.status === 'success' && !recorded.has(step)) recorded.set(step, after.output)
  }
  for (const { step, status, output } of record.steps) if (status === 'success') recorded.set(step, output)
  for (const boundary of record.boundaries) {
    const { step, how, of } = boundary
    if (how !== 'returned' || of === 'sleep') continue
    findings.looked()
    const about = { id: record.id, step }
    const earlier = first.get(step)
    if (earlier === undefined) first.set(step, boundary)
    else if (!sameValue(earlier.value ?? null, boundary.value ?? null)) {
      findings.violation('the code saw two values of one step', about, [earlier, boundary])
    }
    if (of === 'pause') continue
    if (!recorded.has(step)) {
      // Without a log of checkpoints nothing can be said of what was recorded.
      if (record.checkpoints.length === 0 || isPurged(record)) continue
      findings.violation('the code saw the result of a step that was never recorded', about, [boundary])
      continue
    }
    const output = recorded.get(step)
    if (sameValue(output ?? null, boundary.value ?? null)) continue
    const change = record.checkpointsOf(step).at(-1)
    findings.violation(
      `the code saw ${boundary.value ?? 'nothing'}, recorded is ${output ?? 'nothing'}`,
      about,
      [change, boundary],
    )
  }
}

function isStep(start: BodyStarted): boolean {
  return start.of === 'step' || start.of === 'transaction'
}

function recordedStepsDoNotRun(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    for (const start of record.starts) {
      if (!isStep(start)) continue
      findings.looked()
      const grant = record.grantOf(start.lease)?.transition
      const wrong = record
        .checkpointsOf(start.step ?? '')
        .find((change, index, changes) => knewOf(change, changes[index + 1], start, grant?.seq, ledger))
      if (wrong === undefined) continue
      const about = { id: record.id, step: start.step ?? '' }
      findings.violation('a step ran again although its result was recorded', about, [wrong, grant, start])
    }
  }
}

/** Whether whoever began the body must have known the recorded result: the claim brought it, or the code wrote it. */
function knewOf(
  change: CheckpointTransition,
  next: CheckpointTransition | undefined,
  start: BodyStarted,
  grantSeq: number | undefined,
  ledger: Ledger,
): boolean {
  if (!isRecorded(change.after)) return false
  const forgottenBefore = next !== undefined && next.after === null ? next : undefined
  if (grantSeq !== undefined && grantSeq > change.seq) {
    return forgottenBefore === undefined || forgottenBefore.seq > grantSeq
  }
  if (change.runLease !== start.lease || forgottenBefore !== undefined) return false
  return start.mono > change.mono + ledger.slackMs
}

function attemptsAreBounded(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const allowed = ledger.facts.queues[record.queue ?? '']?.stepAttempts ?? 1
    const counts = new Map<string, BodyStarted[]>()
    for (const start of record.starts) {
      // A transaction is repeated when the database cut it off: that is no attempt.
      if (start.of !== 'step') continue
      const of = `${start.step ?? ''}\0${start.lease}`
      const starts = counts.get(of)
      if (starts === undefined) counts.set(of, [start])
      else starts.push(start)
    }
    for (const starts of counts.values()) {
      findings.looked()
      if (starts.length <= allowed) continue
      const step = starts[0]?.step ?? ''
      const says = `the body of ${step} began ${starts.length} times under one lease, ${allowed} are allowed`
      findings.violation(says, { id: record.id, step }, starts)
    }
  }
}

/** W2 to W4: a step runs at least once, and its first recorded result is the result for ever. */
export const steps: readonly Invariant[] = [
  { id: 'W2', sentence: 'A step has one result, and it never changes', check: resultsStayWhatTheyAre },
  { id: 'W3', sentence: 'A step whose result is recorded never runs again', check: recordedStepsDoNotRun },
  { id: 'W4', sentence: 'A step has no more attempts than allowed', check: attemptsAreBounded },
]
