import type {
  Accepted,
  BodyEnded,
  CheckpointTransition,
  HistoryEvent,
  MessageTransition,
} from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal, isHeld, type MessageRecord } from '../message-record.js'
import { sameValue } from '../values.js'

function onlyTheHolderWrites(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    for (const change of record.transitions) outputIsTheHolders(change, record, findings)
    for (const change of record.checkpoints) checkpointIsTheHolders(change, record, findings)
    if (record.transitions.length === 0) continue
    for (const event of record.accepted) acceptedWasHeld(event, event.write, event.lease, record, findings)
    for (const { invoked, outcome } of record.calls) {
      if (outcome !== 'ok' || !('lease' in invoked) || invoked.name === 'extend') continue
      const write = invoked.name === 'archive' || invoked.name === 'failMessage' ? 'finish' : invoked.name
      acceptedWasHeld(invoked, write, invoked.lease, record, findings)
    }
  }
}

/** Values tell the bodies apart: the one that was kept must come from a body of the lease that the row carried. */
function outputIsTheHolders(change: MessageTransition, record: MessageRecord, findings: Findings): void {
  const { before, after } = change
  const output = after?.output
  if (output === null || output === undefined || after?.status !== 'success' || isFinal(before?.status))
    return
  const bodies = record.ends.filter((end) => end.of === 'message' || end.of === 'run')
  keptIsTheHolders(change, bodies, output, before?.lease ?? null, record, findings)
}

function checkpointIsTheHolders(
  change: CheckpointTransition,
  record: MessageRecord,
  findings: Findings,
): void {
  const { after } = change
  const output = after?.output
  if (output === null || output === undefined || after?.status !== 'success') return
  if (after.of !== 'step' && after.of !== 'transaction') return
  const bodies = record.endsOf(change.step)
  keptIsTheHolders(change, bodies, output, change.runLease, record, findings)
}

function keptIsTheHolders(
  change: MessageTransition | CheckpointTransition,
  bodies: readonly BodyEnded[],
  output: string,
  lease: string | null,
  record: MessageRecord,
  findings: Findings,
): void {
  const returned = bodies.filter((end) => end.how === 'returned')
  // Nothing was logged of this kind of body: nothing can be said.
  if (!returned.some((end) => end.value !== undefined)) return
  findings.looked()
  const matching = returned.filter((end) => sameValue(end.value, output))
  if (matching.some((end) => end.lease === lease)) return
  const about = { id: record.id, ...('step' in change ? { step: change.step } : {}) }
  const [zombie] = matching
  if (zombie === undefined) {
    findings.violation(`nobody has returned what was recorded: ${output}`, about, [change])
  } else {
    const says = `the result of lease ${zombie.lease} was recorded while lease ${lease ?? 'of nobody'} held the message`
    findings.violation(says, about, [record.grantOf(lease ?? '')?.transition, zombie, change])
  }
}

function acceptedWasHeld(
  event: HistoryEvent,
  write: Accepted['write'],
  lease: string,
  record: MessageRecord,
  findings: Findings,
): void {
  if (write === 'extend') return
  findings.looked()
  const did =
    write === 'record'
      ? ('step' in event ? record.checkpointsOf(event.step) : record.checkpoints).some(
          (change) => change.runLease === lease,
        )
      : record.transitions.some((change) => change.before?.lease === lease && fits(write, change))
  if (did) return
  findings.violation(
    `a ${write} under lease ${lease} was accepted, but no row changed under that lease`,
    { id: record.id },
    [record.grantOf(lease)?.transition, event],
  )
}

function fits(write: Accepted['write'], { before, after }: MessageTransition): boolean {
  if (write === 'delete') return after === null
  if (before === null || !isHeld(before) || after === null) return false
  return write === 'finish' ? isFinal(after.status) : !isHeld(after)
}

/** Q9: the fence. */
export const fence: readonly Invariant[] = [
  { id: 'Q9', sentence: 'Only the current holder changes a message', check: onlyTheHolderWrites },
]
