import type { MessageTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import { isFinal, isHeld, type MessageRecord } from '../message-record.js'
import { canonical, sameValue } from '../values.js'

function deliveries(record: MessageRecord) {
  return record.starts.filter((start) => start.of === 'message' || start.of === 'run')
}

/** Why a message may have finished without having been delivered. */
function excusedFromDelivery(record: MessageRecord, ledger: Ledger): boolean {
  if (record.hasCall('cancel', 'archiveByOperator', 'purge')) return true
  const state = record.finalState
  // Its holders died between the claim and the body, every time.
  const { maxCrashes = Infinity } = ledger.facts.queues[record.queue ?? ''] ?? {}
  return state?.status === 'error' && state.crashes >= maxCrashes
}

function nothingIsLost(ledger: Ledger, findings: Findings): void {
  if (ledger.mark('quiet') === undefined) return
  for (const record of ledger.messages.values()) {
    if (record.fate !== 'ok') continue
    findings.looked()
    const about = { id: record.id }
    const { row, last } = record
    const evidence = [record.enqueues[0]?.invoked, record.enqueues[0]?.settled, last, row]
    const removed = last === undefined ? record.hasCall('delete', 'purge') : last.after === null
    if (row === undefined && !removed) findings.violation('an acknowledged message is gone', about, evidence)
    else if (row !== undefined && !isFinal(row.status)) {
      findings.violation(`an acknowledged message has not finished: it is ${row.status}`, about, evidence)
    } else if (
      deliveries(record).length + record.claimedByHand.length === 0 &&
      !excusedFromDelivery(record, ledger)
    ) {
      findings.violation('an acknowledged message was never delivered', about, evidence)
    }
  }
}

function nothingIsMadeUp(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const [delivery] = deliveries(record)
    const seen = delivery ?? record.claimedByHand[0]?.settled ?? record.row ?? record.transitions[0]
    if (seen === undefined) continue
    findings.looked()
    if (record.fate === undefined) {
      findings.violation('a message is there that nobody enqueued', { id: record.id }, [seen])
    } else if (record.fate === 'fail') {
      const [call] = record.enqueues
      const says = call?.yielded === true ? 'yielded to the holder of its key' : 'failed for certain'
      findings.violation(`a message is there whose enqueue ${says}`, { id: record.id }, [
        call?.invoked,
        call?.settled,
        seen,
      ])
    }
  }
}

function payloadsArriveUnchanged(ledger: Ledger, findings: Findings): void {
  const replacements = new Map<string, string[]>()
  for (const record of ledger.messages.values()) {
    for (const { invoked, message } of record.enqueues) {
      if (invoked.onConflict !== 'replace' || message.key === undefined) continue
      const of = `${message.queue}\0${message.key}`
      const payloads = replacements.get(of)
      if (payloads === undefined) replacements.set(of, [message.payload])
      else payloads.push(message.payload)
    }
  }
  for (const record of ledger.messages.values()) {
    const [first] = record.enqueues
    if (first === undefined) continue
    const payloads = record.enqueues.map((call) => call.message.payload)
    const { queue, key } = first.message
    if (key !== undefined) payloads.push(...(replacements.get(`${queue}\0${key}`) ?? []))
    for (const delivery of deliveries(record)) {
      if (delivery.payload === undefined) continue
      findings.looked()
      if (payloads.some((payload) => sameValue(payload, delivery.payload))) continue
      const says = `the payload delivered is not the payload enqueued: ${delivery.payload}`
      findings.violation(says, { id: record.id }, [first.invoked, delivery])
    }
    for (const { settled } of record.claimedByHand) {
      const payload = settled?.value?.claimed?.find(({ id }) => id === record.id)?.payload
      if (settled === undefined || payload === undefined) continue
      findings.looked()
      if (payloads.some((own) => sameValue(own, payload))) continue
      const says = `the payload claimed by hand is not the payload enqueued: ${payload}`
      findings.violation(says, { id: record.id }, [first.invoked, settled])
    }
  }
}

/** Payloads that were meant for one message alone tell when a repeated enqueue has made two. */
function nothingIsDoubled(ledger: Ledger, findings: Findings): void {
  const wanted = new Map<string, Set<string>>()
  const place = (queue: string, payload: string): string => `${queue}\0${canonical(payload)}`
  for (const record of ledger.messages.values()) {
    for (const { invoked, message } of record.enqueues) {
      if (invoked.onConflict === 'replace') continue
      const at = place(message.queue, message.payload)
      const ids = wanted.get(at)
      if (ids === undefined) wanted.set(at, new Set([record.id]))
      else ids.add(record.id)
    }
  }
  for (const record of ledger.messages.values()) {
    const inserted = record.transitions.find((change) => change.before === null)
    const payload =
      inserted?.after?.payload ?? record.row?.payload ?? deliveries(record).find((d) => d.payload)?.payload
    if (payload === undefined) continue
    const ids = wanted.get(place(record.queue ?? '', payload))
    if (ids?.size !== 1) continue
    findings.looked()
    if (ids.has(record.id)) continue
    const [meant = ''] = ids
    const call = ledger.message(meant).enqueues[0]
    findings.violation(`what was enqueued once as ${meant} is there a second time`, { id: record.id }, [
      call?.invoked,
      call?.settled,
      inserted ?? record.row ?? deliveries(record)[0],
    ])
  }
  for (const record of ledger.messages.values()) insertedByCalls(record, ledger, findings)
}

/** What was deleted is forgotten: it may come anew, when somebody enqueues it just then. */
function insertedByCalls(record: MessageRecord, ledger: Ledger, findings: Findings): void {
  const inserts = record.transitions.filter((change) => change.before === null)
  for (const insert of inserts.slice(1)) {
    findings.looked()
    const asked = record.enqueues.some(
      ({ invoked, settled }) =>
        invoked.mono <= insert.mono + ledger.slackMs &&
        (settled === undefined || settled.mono >= insert.mono - ledger.slackMs),
    )
    if (asked) continue
    findings.violation('it was inserted again, and nobody enqueued it then', { id: record.id }, [
      inserts[0],
      insert,
    ])
  }
}

function changedAfterTheEnd({ before, after }: MessageTransition): boolean {
  return (
    before?.status !== after?.status ||
    before?.finishedAt !== after?.finishedAt ||
    !sameValue(before?.output, after?.output) ||
    !sameValue(before?.error, after?.error)
  )
}

function endsOnce(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    let end: MessageTransition | undefined
    for (const change of record.transitions) {
      const { before, after } = change
      const about = { id: record.id }
      if (before !== null && isFinal(before.status)) {
        if (after === null) continue
        const replayed = before.status === 'error' && after.status === 'queued' && record.hasCall('retry')
        if (!replayed && changedAfterTheEnd(change)) {
          findings.violation(`a finished message changed from ${before.status} to ${after.status}`, about, [
            end,
            change,
          ])
        }
      } else if (after === null || isFinal(after.status)) {
        findings.looked()
        end = change
      }
    }
    acceptedEnds(record, findings)
  }
}

/** No two holders were told that they had finished the message. */
function acceptedEnds(record: MessageRecord, findings: Findings): void {
  const told = record.accepted.filter(({ write }) => write === 'finish' || write === 'delete')
  const leases = new Map<
    string,
    MessageRecord['accepted'][number] | MessageRecord['calls'][number]['invoked']
  >(told.map((event) => [event.lease, event]))
  for (const { invoked, outcome } of record.calls) {
    const finishes = invoked.name === 'archive' || invoked.name === 'delete' || invoked.name === 'failMessage'
    if (finishes && outcome === 'ok') leases.set(invoked.lease, invoked)
  }
  findings.looked(leases.size)
  if (leases.size <= record.lives || record.hasCall('retry')) return
  findings.violation(`${leases.size} holders finished the same message`, { id: record.id }, [
    ...leases.values(),
  ])
}

function nothingStartsAfterTheEnd(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const about = { id: record.id }
    const ends = record.transitions.filter(
      (change) => !isFinal(change.before?.status) && isFinal(change.after?.status),
    )
    for (const { transition } of record.grants) {
      findings.looked()
      if (!isFinal(transition.before?.status)) continue
      findings.violation('a finished message was claimed', about, [ends.at(-1), transition])
    }
    if (record.transitions.length === 0) continue
    for (const start of deliveries(record)) {
      findings.looked()
      if (record.grantOf(start.lease) === undefined && !record.rewound) {
        findings.violation(`a body began under lease ${start.lease}, which was never granted`, about, [start])
      }
      // Where the lease had lapsed, the holder could not know.
      const end = ends.find(
        ({ before, dbAt }) => before?.lease === start.lease && isHeld(before) && before.vt > dbAt,
      )
      if (end === undefined || start.mono <= end.mono + ledger.slackMs) continue
      findings.violation('a body began after its own lease had finished the message', about, [end, start])
    }
  }
}

/** Q1 to Q6: what becomes of a message from its enqueue to its end. */
export const delivery: readonly Invariant[] = [
  { id: 'Q1', sentence: 'An acknowledged message is delivered and finishes', check: nothingIsLost },
  { id: 'Q2', sentence: 'Nothing is there that was not enqueued', check: nothingIsMadeUp },
  { id: 'Q3', sentence: 'A payload arrives as it was enqueued', check: payloadsArriveUnchanged },
  { id: 'Q4', sentence: 'A repeated or ambiguous enqueue makes one message', check: nothingIsDoubled },
  { id: 'Q5', sentence: 'A message ends once, and its end never changes', check: endsOnce },
  { id: 'Q6', sentence: 'No delivery starts after the end', check: nothingStartsAfterTheEnd },
]
