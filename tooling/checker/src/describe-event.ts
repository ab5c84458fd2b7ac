import type { Facts, HistoryEvent } from './history.js'
import type { CheckpointState, MessageState } from './states.js'

/** One event as one line: when (ms since the facts), who, what. */
export function describeEvent(event: HistoryEvent, facts: Facts): string {
  const ms = 'dbAt' in event ? event.dbAt - facts.epochMs - facts.mono : event.mono - facts.mono
  const when = event.kind === 'row' ? 'in the end' : `${ms.toFixed(1)} ms`
  return `${when.padStart(12)}  ${event.process.padEnd(12)} ${what(event, facts)}`
}

function what(event: HistoryEvent, facts: Facts): string {
  const since = (time: number): string => `${(time - facts.epochMs - facts.mono).toFixed(1)} ms`
  switch (event.kind) {
    case 'message':
      return `message #${event.seq} ${event.id}: ${state(event.before, since)} → ${state(event.after, since)}`
    case 'checkpoint': {
      const holder = `run ${event.runStatus ?? 'gone'}, lease ${event.runLease ?? 'none'}`
      const change = `${checkpoint(event.before, since)} → ${checkpoint(event.after, since)}`
      return `checkpoint #${event.seq} ${event.run}/${event.step}: ${change} (${holder})`
    }
    case 'row':
      if (event.table === 'messages') return `row ${event.id}: ${state(event, since)}`
      return `row of ${event.table}: ${rest(event, ['table'])}`
    case 'mark':
      return `${event.what} ${event.target ?? ''} ${event.detail ?? ''}`.trimEnd()
    default:
      return `${event.kind} ${rest(event, [])}`
  }
}

function state(row: MessageState | null, since: (time: number) => string): string {
  if (row === null) return 'nothing'
  const lease = row.lease === null ? '' : ` lease ${row.lease}`
  const worker = row.worker === null ? '' : ` by ${row.worker}`
  const counts = `claims ${row.claims} failures ${row.failures} crashes ${row.crashes}`
  const output = row.output === null || row.output === undefined ? '' : ` output ${row.output}`
  return `${row.status} vt ${since(row.vt)}${lease}${worker} ${counts}${output}`
}

function checkpoint(row: CheckpointState | null, since: (time: number) => string): string {
  if (row === null) return 'nothing'
  const wake = row.wakeAt === null ? '' : ` until ${since(row.wakeAt)}`
  return `${row.of} ${row.status}${wake} ${row.output ?? row.error ?? ''}`.trimEnd()
}

const known = ['kind', 'process', 'mono', 'wall']

function rest(event: HistoryEvent, without: readonly string[]): string {
  return Object.entries(event)
    .filter(([name]) => !known.includes(name) && !without.includes(name))
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}
