import { grouped } from '../grouped.js'
import type { BodyEnded } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { RowOf } from '../rows.js'
import { sameValue } from '../values.js'
import { cycleOf, type Graph } from './cycles.js'

/** What is known of all lists: their elements in the end, and who appended each. */
interface Lists {
  readonly rows: ReadonlyMap<string, RowOf<'lists'>>
  readonly committed: readonly BodyEnded[]
  /** By list and number: the index in `committed`. */
  readonly appendedBy: ReadonlyMap<string, number>
  /** By list and number: where it stands in the end. */
  readonly places: ReadonlyMap<string, number>
}

const at = (list: string, number: number): string => `${list}\0${number}`

/** After Elle's list-append: the order of a list's elements tells the order of the transactions. */
function listsGrowInOneOrder(ledger: Ledger, findings: Findings): void {
  const lists = listsOf(ledger)
  nothingIsLostOrMadeUp(lists, findings)
  for (const body of lists.committed) readsArePrefixes(body, lists, findings)
  const { store } = ledger.facts
  // Postgres runs transactions at READ COMMITTED: there a later statement may see more than an earlier one.
  const cycle = cycleOf(dependencies(lists, store !== 'postgres'))
  if (cycle === undefined) return
  const bodies = cycle.map((index) => lists.committed[index])
  const names = bodies.map((body) => `${body?.id ?? ''}/${body?.step ?? ''}`)
  findings.violation(`transactions depend on each other in a circle: ${names.join(' → ')}`, {}, bodies)
}

function listsOf(ledger: Ledger): Lists {
  const committed: BodyEnded[] = []
  for (const record of ledger.messages.values()) {
    const recorded = record.checkpoints.filter(
      ({ after }) => after?.of === 'transaction' && after.status === 'success',
    )
    for (const end of record.ends) {
      if (end.lists === undefined || end.how !== 'returned') continue
      const kept = recorded.some(
        ({ step, runLease, after }) =>
          step === end.step && runLease === end.lease && sameValue(after?.output, end.value),
      )
      if (kept) committed.push(end)
    }
  }
  const appendedBy = new Map<string, number>()
  committed.forEach((body, index) => {
    for (const operation of body.lists ?? []) {
      if ('append' in operation) appendedBy.set(at(operation.list, operation.append), index)
    }
  })
  const rows = new Map(ledger.table('lists').map((row) => [row.list, row]))
  const places = new Map<string, number>()
  for (const { list, elements } of rows.values()) {
    elements.forEach((number, place) => places.set(at(list, number), place))
  }
  return { rows, committed, appendedBy, places }
}

function nothingIsLostOrMadeUp({ rows, committed, appendedBy, places }: Lists, findings: Findings): void {
  for (const row of rows.values()) {
    findings.looked(row.elements.length)
    for (const [number, same] of grouped(row.elements, (element) => element)) {
      if (same.length > 1) findings.violation(`${number} is ${same.length} times in ${row.list}`, {}, [row])
      if (appendedBy.has(at(row.list, number))) continue
      findings.violation(`${number} is in ${row.list}, and no committed step has appended it`, {}, [row])
    }
  }
  for (const body of committed) {
    for (const operation of body.lists ?? []) {
      if (!('append' in operation)) continue
      findings.looked()
      if (places.has(at(operation.list, operation.append))) continue
      const about = { id: body.id, step: body.step ?? '' }
      const says = `a committed step appended ${operation.append} to ${operation.list}, and it is not there`
      findings.violation(says, about, [body, rows.get(operation.list)])
    }
  }
}

function readsArePrefixes(body: BodyEnded, { rows }: Lists, findings: Findings): void {
  const own = new Map<string, number>()
  for (const operation of body.lists ?? []) {
    const { list } = operation
    if ('append' in operation) {
      own.set(list, operation.append)
      continue
    }
    findings.looked()
    const about = { id: body.id, step: body.step ?? '' }
    const row = rows.get(list)
    const { read } = operation
    if (read.some((number, place) => row?.elements[place] !== number)) {
      findings.violation(`a step read what ${list} never was`, about, [body, row])
    } else if (own.has(list) && read.at(-1) !== own.get(list)) {
      findings.violation(`a step did not read its own append to ${list}`, about, [body, row])
    }
  }
}

/** Who must come before whom: by the order of elements, and by what was read. */
function dependencies({ rows, committed, appendedBy }: Lists, antiDependencies: boolean): Graph {
  const graph: Graph = committed.map(() => new Set<number>())
  const edge = (from: number | undefined, to: number | undefined): void => {
    if (from !== undefined && to !== undefined && from !== to) graph[from]?.add(to)
  }
  for (const { list, elements } of rows.values()) {
    elements.forEach((number, place) => {
      const next = elements[place + 1]
      if (next !== undefined) edge(appendedBy.get(at(list, number)), appendedBy.get(at(list, next)))
    })
  }
  committed.forEach((body, index) => {
    for (const operation of body.lists ?? []) {
      if (!('read' in operation)) continue
      const { list, read } = operation
      const last = read.at(-1)
      if (last !== undefined) edge(appendedBy.get(at(list, last)), index)
      const next = rows.get(list)?.elements[read.length]
      if (antiDependencies && next !== undefined) edge(index, appendedBy.get(at(list, next)))
    }
  })
  return graph
}

/** The list-append check of S7. */
export const lists: readonly Invariant[] = [
  {
    id: 'S7L',
    sentence: 'Lists that transactional steps append to grow in one order',
    check: listsGrowInOneOrder,
  },
]
