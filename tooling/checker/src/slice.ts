import type { HistoryEvent } from './history.js'
import type { Subject, Violation } from './invariant.js'
import type { Ledger } from './ledger.js'

/** Events shown before the first and after the last piece of evidence. */
const AROUND = 2
/** Events shown between two pieces of evidence, beside the ones next to them. */
const BETWEEN = 6

/**
 * The shortest piece of a history that shows a violation: the evidence, and what happened to the same message (run,
 * account, process) right before, after and in between. In the order of time.
 */
export function sliceOf(ledger: Ledger, { about, evidence }: Violation): HistoryEvent[] {
  const proof = new Set(evidence)
  const related = ledger.history.events.filter((event) => proof.has(event) || concerns(event, about, ledger))
  const ordered = inTime(related, ledger)
  const places = ordered.flatMap((event, place) => (proof.has(event) ? [place] : []))
  const first = places[0]
  if (first === undefined) return ordered.slice(-AROUND)
  const shown = new Set<number>()
  places.forEach((place, index) => {
    const before = index === 0 ? place - AROUND : Math.max(place - BETWEEN / 2, places[index - 1] ?? 0)
    const after = index === places.length - 1 ? place + AROUND : place + BETWEEN / 2
    for (let i = before; i <= after; i++) shown.add(i)
  })
  return ordered.filter((_event, place) => shown.has(place))
}

function concerns(event: HistoryEvent, about: Subject, ledger: Ledger): boolean {
  if (about.id !== undefined) return idOf(event, ledger) === about.id && fitsStep(event, about.step)
  if (about.op !== undefined) return 'op' in event && event.op === about.op
  if (about.account !== undefined) {
    if (event.kind !== 'row') return false
    if (event.table === 'witnesses') return event.from === about.account || event.to === about.account
    return event.table === 'accounts' && event.account === about.account
  }
  if (about.process !== undefined) {
    const target = event.kind === 'mark' ? event.target : undefined
    return event.kind !== 'row' && (event.process === about.process || target === about.process)
  }
  return false
}

/** Of other steps of the run only what happened to the run as a whole is shown. */
function fitsStep(event: HistoryEvent, step: string | undefined): boolean {
  return step === undefined || !('step' in event) || event.step === step
}

function idOf(event: HistoryEvent, ledger: Ledger): string | undefined {
  switch (event.kind) {
    case 'invoke':
    case 'settle':
      return ledger.idOfCall(event.op)
    case 'checkpoint':
      return event.run
    case 'row':
      if (event.table === 'messages') return event.id
      return event.table === 'steps' || event.table === 'witnesses' ? event.run : undefined
    default:
      return 'id' in event ? event.id : undefined
  }
}

/** Rows are what is there in the end, whenever they were read. */
function inTime(events: readonly HistoryEvent[], ledger: Ledger): HistoryEvent[] {
  const time = (event: HistoryEvent): number =>
    event.kind === 'row' ? Number.MAX_VALUE : ledger.hostTime(event)
  const seq = (event: HistoryEvent): number => ('seq' in event ? event.seq : 0)
  return [...events].sort((a, b) => time(a) - time(b) || seq(a) - seq(b))
}
