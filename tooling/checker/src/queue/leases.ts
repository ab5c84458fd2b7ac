import type { MessageTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal, isHeld, type Grant, type MessageRecord } from '../message-record.js'

// Databases keep milliseconds or microseconds, histories milliseconds.
const ROUNDING_MS = 1

function leasesDoNotOverlap(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    nobodyElseEndsALease(record, ledger, findings)
    for (const { transition } of record.grants) {
      findings.looked()
      const { before, after, dbAt } = transition
      if (before === null || !isHeld(before) || before.vt <= dbAt + ROUNDING_MS) continue
      const early = Math.round(before.vt - dbAt)
      findings.violation(
        `lease ${after?.lease ?? ''} was granted ${early} ms before the end of lease ${before.lease ?? ''}`,
        { id: record.id },
        [record.grantOf(before.lease ?? '')?.transition, transition],
      )
    }
  }
}

/** A holder gives a message back when its body is over. Whoever gives it back before that is not the holder. */
function nobodyElseEndsALease(record: MessageRecord, ledger: Ledger, findings: Findings): void {
  for (const change of record.transitions) {
    const { before, after, dbAt } = change
    if (before === null || after === null || !isHeld(before) || isHeld(after) || isFinal(after.status))
      continue
    // A handler that ran out of time may go on behind the failure that was counted.
    if (before.vt <= dbAt + ROUNDING_MS || after.failures > before.failures) continue
    findings.looked()
    const byHand = record.calls.some(({ invoked }) => 'lease' in invoked && invoked.lease === before.lease)
    const end = record.ends.find(
      ({ of, lease, mono }) =>
        (of === 'message' || of === 'run') && lease === before.lease && mono > change.mono + ledger.slackMs,
    )
    if (end === undefined || byHand) continue
    const says = `lease ${before.lease ?? ''} was ended while its holder was at work`
    findings.violation(says, { id: record.id }, [change, end])
  }
}

function grantsAreUnique(ledger: Ledger, findings: Findings): void {
  const holders = new Map<string, MessageTransition>()
  for (const record of ledger.messages.values()) {
    const about = { id: record.id }
    const seen = new Map<string, MessageTransition>()
    for (const { lease, transition } of record.grants) {
      findings.looked()
      const twice = seen.get(lease)
      if (twice !== undefined) {
        findings.violation(`lease ${lease} was granted twice for one message`, about, [twice, transition])
      }
      seen.set(lease, transition)
      // One claim takes many messages under one lease id, for one worker.
      const other = holders.get(lease)
      if (other === undefined) holders.set(lease, transition)
      else if (other.after?.worker !== transition.after?.worker) {
        findings.violation(`lease ${lease} was granted to two workers`, about, [other, transition])
      }
    }
    for (const change of record.transitions) claimsCountUp(change, findings)
    if (record.transitions.length > 0) claimsByHandAreGrants(record, findings)
  }
}

function claimsByHandAreGrants(record: MessageRecord, findings: Findings): void {
  for (const { settled, outcome } of record.claimedByHand) {
    const lease = settled?.value?.claimed?.find(({ id }) => id === record.id)?.lease
    if (lease === undefined || outcome !== 'ok') continue
    findings.looked()
    if (record.grantOf(lease) !== undefined) continue
    const says = `handed out under lease ${lease}, which was never granted`
    findings.violation(says, { id: record.id }, [settled])
  }
}

function claimsCountUp(change: MessageTransition, findings: Findings): void {
  const { before, after } = change
  if (after === null) return
  if (before === null) {
    if (after.claims === (after.lease === null ? 0 : 1)) return
    const says = `inserted with ${after.claims} claims and the lease ${after.lease ?? 'none'}`
    findings.violation(says, { id: change.id }, [change])
    return
  }
  const granted = after.claims !== before.claims
  if (granted && after.claims !== before.claims + 1) {
    const says = `claims went from ${before.claims} to ${after.claims}`
    findings.violation(says, { id: change.id }, [change])
  } else if (granted && after.lease === before.lease) {
    findings.violation('a claim left the old lease in place', { id: change.id }, [change])
  } else if (!granted && after.lease !== before.lease && after.lease !== null) {
    findings.violation('the lease changed without a claim', { id: change.id }, [change])
  }
}

function lapsedLeasesStayLapsed(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const about = { id: record.id }
    for (const change of record.transitions) {
      const { before, after, dbAt } = change
      if (before === null || after === null || !isHeld(before) || !isHeld(after)) continue
      if (before.lease !== after.lease || after.vt <= before.vt) continue
      findings.looked()
      // By the clock of the statement, which may have waited for a lock since: Postgres fixes it at the beginning.
      const statementAt = Math.min(dbAt, after.vt - prolongedBy(change, record, ledger))
      if (before.vt + ledger.slackMs >= statementAt) continue
      const late = Math.round(dbAt - before.vt)
      findings.violation(`a lease was prolonged ${late} ms after it had lapsed`, about, [change])
    }
    for (const { invoked, settled, outcome } of record.calls) {
      if (invoked.name !== 'extend' || outcome !== 'ok') continue
      findings.looked()
      const next = nextGrant(record, invoked.lease)
      if (next === undefined || next.transition.mono + ledger.slackMs >= invoked.mono) continue
      findings.violation('a lease was prolonged after somebody else was granted one', about, [
        next.transition,
        invoked,
        settled,
      ])
    }
  }
}

/** For how long, counted from its clock, a statement has prolonged a lease. A worker does so for as long as it claims. */
function prolongedBy(change: MessageTransition, record: MessageRecord, ledger: Ledger): number {
  const { leaseMs } = ledger.facts
  const byHand = record.calls.flatMap(({ invoked }) =>
    invoked.name === 'extend' &&
    invoked.lease === change.before?.lease &&
    invoked.mono <= change.mono + ledger.slackMs
      ? [invoked.leaseMs ?? leaseMs]
      : [],
  )
  return byHand.length === 0 ? leaseMs : Math.max(...byHand)
}

function nextGrant(record: MessageRecord, lease: string): Grant | undefined {
  const index = record.grants.findIndex((grant) => grant.lease === lease)
  return index < 0 ? undefined : record.grants[index + 1]
}

function attemptsAreCounted(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const about = { id: record.id }
    const complete = record.transitions[0]?.before === null
    if (complete) {
      findings.looked()
      const claims = record.finalState?.claims ?? record.last?.before?.claims ?? 0
      const committed = record.grantsOfThisLife.length
      if (claims !== committed) {
        const says = `the row counts ${claims} claims, ${committed} were committed`
        findings.violation(says, about, [record.last, record.row])
      }
    }
    for (const change of record.transitions) {
      findings.looked()
      // A run with a hole in its history may diverge from it.
      const wrong = countedWrong(change) ?? (record.rewound ? undefined : endedWrong(change, record, ledger))
      if (wrong !== undefined) findings.violation(wrong, about, [change])
    }
    for (const start of record.starts) {
      if (start.of !== 'message' && start.of !== 'run') continue
      const grant = record.grantOf(start.lease)?.transition
      const { maxCrashes = Infinity } = ledger.facts.queues[record.queue ?? ''] ?? {}
      if (grant?.after === null || grant === undefined || grant.after.crashes < maxCrashes) continue
      const says = `a body began although the message had crashed ${grant.after.crashes} times`
      findings.violation(says, about, [grant, start])
    }
  }
}

/** Failures count what threw, crashes count leases that lapsed unheard: each in its own transition, by one. */
function countedWrong({ before, after }: MessageTransition): string | undefined {
  if (before === null || after === null) return undefined
  const replayed = before.status === 'error' && after.status === 'queued'
  if (replayed) return undefined
  const crashes = after.crashes - before.crashes
  const failures = after.failures - before.failures
  const lapsed = after.claims > before.claims && before.status === 'running'
  if (crashes !== (lapsed ? 1 : 0)) return `crashes went from ${before.crashes} to ${after.crashes}`
  if (failures !== 0 && (failures !== 1 || !isHeld(before) || isHeld(after))) {
    return `failures went from ${before.failures} to ${after.failures}`
  }
  return undefined
}

/** A message is a dead letter when its attempts are used up, when it asked for it, and not otherwise. */
function endedWrong(change: MessageTransition, record: MessageRecord, ledger: Ledger): string | undefined {
  const { before, after } = change
  const policy = ledger.facts.queues[after?.queue ?? '']
  if (before === null || after === null || policy === undefined) return undefined
  if (after.failures > policy.maxAttempts) return `${after.failures} failed attempts of ${policy.maxAttempts}`
  if (after.status === 'queued' && after.failures >= policy.maxAttempts) {
    return `tried again after ${after.failures} failed attempts of ${policy.maxAttempts}`
  }
  if (after.status !== 'error' || before.status === 'error') return undefined
  const used = after.failures >= policy.maxAttempts || after.crashes >= policy.maxCrashes
  const asked =
    record.hasCall('failMessage') ||
    record.ends.some((end) => end.lease === before.lease && end.terminal === true)
  if (used || asked) return undefined
  return `a dead letter after ${after.failures} failures and ${after.crashes} crashes, which are not all`
}

/** Q7, Q8, Q10 and Q11: grants. */
export const leases: readonly Invariant[] = [
  { id: 'Q7', sentence: 'Leases of one message do not overlap', check: leasesDoNotOverlap },
  { id: 'Q8', sentence: 'A grant is unique, and claims count up', check: grantsAreUnique },
  { id: 'Q10', sentence: 'A lapsed lease is never revived', check: lapsedLeasesStayLapsed },
  { id: 'Q11', sentence: 'Claims, failures and crashes are counted right', check: attemptsAreCounted },
]
