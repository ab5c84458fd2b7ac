import { grouped } from '../grouped.js'
import type { QueueCounts, Snapshot } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { EnqueueCall, MessageRecord } from '../message-record.js'
import type { RowOf } from '../rows.js'

const finals = ['success', 'error', 'cancelled'] as const
const live = ['queued', 'running', 'paused', 'cancelling'] as const

function countsAddUp(ledger: Ledger, findings: Findings): void {
  for (const snapshot of ledger.snapshots) {
    for (const [queue, counts] of Object.entries(snapshot.queues ?? {}))
      snapshotAddsUp(snapshot, queue, counts, findings)
  }
  const rows = ledger.table('messages')
  if (ledger.changes.some((change) => change.kind === 'message')) rowsFollowTheLog(ledger, findings)
  const tallies = ledger.table('tallies')
  if (tallies.length > 0) talliesAreTrue(rows, tallies, findings)
}

function snapshotAddsUp(snapshot: Snapshot, queue: string, counts: QueueCounts, findings: Findings): void {
  findings.looked()
  const sum = [...live, ...finals].reduce((total, status) => total + counts[status], 0)
  if (sum !== counts.total) {
    findings.violation(`${counts.total} messages, but ${sum} by status`, { queue }, [snapshot])
  }
  const { tallied } = counts
  if (tallied === undefined) return
  for (const status of finals) {
    if (tallied[status] === counts[status]) continue
    const says = `${counts[status]} messages ended as ${status}, ${tallied[status]} are counted`
    findings.violation(says, { queue }, [snapshot])
  }
}

/** Every row is what the last transition left, and every message that was not deleted has a row. */
function rowsFollowTheLog(ledger: Ledger, findings: Findings): void {
  // Rows were not read: nothing to compare with.
  if (ledger.table('messages').length === 0) return
  for (const record of ledger.messages.values()) {
    const { row, last } = record
    if (row === undefined && last === undefined) continue
    findings.looked()
    const about = { id: record.id }
    const after = last?.after ?? undefined
    if ((row === undefined) !== (after === undefined)) {
      const says = row === undefined ? 'a row has vanished without a trace' : 'a row is there without a trace'
      findings.violation(says, about, [last, row])
    } else if (
      row !== undefined &&
      after !== undefined &&
      (row.status !== after.status || row.claims !== after.claims || row.lease !== after.lease)
    ) {
      findings.violation('a row changed without a trace', about, [last, row])
    }
  }
}

function talliesAreTrue(
  rows: readonly RowOf<'messages'>[],
  tallies: readonly RowOf<'tallies'>[],
  findings: Findings,
): void {
  const counted = new Map<string, number>()
  for (const row of rows) {
    const of = `${row.queue}\0${row.status}`
    counted.set(of, (counted.get(of) ?? 0) + 1)
  }
  const tallied = new Map(tallies.map((row) => [`${row.queue}\0${row.status}`, row]))
  for (const queue of new Set([...rows, ...tallies].map((row) => row.queue))) {
    for (const status of finals) {
      const of = `${queue}\0${status}`
      const row = tallied.get(of)
      const [is, says] = [counted.get(of) ?? 0, row?.n ?? 0]
      findings.looked()
      if (is === says) continue
      findings.violation(
        `queue ${queue} has ${is} messages that ended as ${status}, ${says} are counted`,
        { queue },
        [row],
      )
    }
  }
}

/** The messages of one call of enqueue that no other call was about, and that no key kept out. */
interface Batch {
  readonly call: EnqueueCall
  readonly records: readonly MessageRecord[]
}

function batches(ledger: Ledger, wanted: (call: EnqueueCall) => boolean): Batch[] {
  const found = new Map<string, MessageRecord[]>()
  const calls = new Map<string, EnqueueCall>()
  for (const record of ledger.messages.values()) {
    const [call] = record.enqueues
    if (call === undefined || !wanted(call)) continue
    calls.set(call.invoked.op, call)
    if (record.enqueues.length > 1 || call.message.key !== undefined) continue
    const records = found.get(call.invoked.op)
    if (records === undefined) found.set(call.invoked.op, [record])
    else records.push(record)
  }
  return [...calls].map(([op, call]) => ({ call, records: found.get(op) ?? [] }))
}

function transactionsAreWhole(ledger: Ledger, findings: Findings): void {
  moneyIsConserved(ledger, findings)
  const witnesses = grouped(ledger.table('witnesses'), (row) => row.witness)
  for (const { call, records } of batches(ledger, ({ invoked }) => invoked.witness !== undefined)) {
    findings.looked()
    const { invoked, settled, outcome } = call
    const rows = witnesses.get(invoked.witness ?? '') ?? []
    const there = records.filter((record) => record.existed)
    const evidence = [
      invoked,
      settled,
      ...rows,
      ...there.map((record) => record.transitions[0] ?? record.row),
    ]
    const about = { op: invoked.op, ...(records[0] === undefined ? {} : { id: records[0].id }) }
    const committed = rows.length > 0
    if (rows.length > 1)
      findings.violation(`the witness ${invoked.witness ?? ''} is there twice`, about, evidence)
    else if (outcome === 'ok' && !committed)
      findings.violation('the witness of a commit is not there', about, evidence)
    else if (outcome === 'fail' && committed) {
      findings.violation('the witness of a transaction that was rolled back is there', about, evidence)
    } else if (there.length !== (committed ? records.length : 0)) {
      const says = `the witness is ${committed ? '' : 'not '}there, and ${there.length} of ${records.length} messages`
      findings.violation(says, about, evidence)
    }
  }
}

function moneyIsConserved(ledger: Ledger, findings: Findings): void {
  const { accounts } = ledger.facts
  if (accounts === undefined) return
  const money = Object.values(accounts).reduce((sum, balance) => sum + balance, 0)
  for (const snapshot of ledger.snapshots) {
    if (snapshot.money === undefined) continue
    findings.looked()
    if (snapshot.money === money) continue
    findings.violation(`the accounts hold ${snapshot.money}, not ${money}`, {}, [snapshot])
  }
  const rows = ledger.table('accounts')
  if (rows.length === 0) return
  findings.looked()
  const sum = rows.reduce((total, row) => total + row.balance, 0)
  if (sum !== money) findings.violation(`the accounts hold ${sum} in the end, not ${money}`, {}, rows)
}

function batchesAreWhole(ledger: Ledger, findings: Findings): void {
  for (const { call, records } of batches(ledger, ({ invoked }) => invoked.batch === true)) {
    const { invoked, settled, outcome } = call
    if (records.length === 0) continue
    findings.looked()
    const there = records.filter((record) => record.existed).length
    const wrong =
      (there !== 0 && there !== records.length) ||
      (outcome === 'ok' && there === 0) ||
      (outcome === 'fail' && there > 0)
    if (!wrong) continue
    const says = `${there} of the ${records.length} messages of a batch (${outcome}) are there`
    const about = { op: invoked.op, ...(records[0] === undefined ? {} : { id: records[0].id }) }
    findings.violation(says, about, [invoked, settled, ...records.map((record) => record.transitions[0])])
  }
}

/** Q17 to Q19: nothing comes from nowhere and nothing goes nowhere. */
export const conservation: readonly Invariant[] = [
  { id: 'Q17', sentence: 'Counts add up and equal the rows', check: countsAddUp },
  { id: 'Q18', sentence: 'A message is there exactly if its transaction is', check: transactionsAreWhole },
  { id: 'Q19', sentence: 'A batch is enqueued whole or not at all', check: batchesAreWhole },
]
