import type { BodyEnded, HistoryEvent, MessageState } from '@pgqrs/checker'
import type { Asked, Model } from './asked.js'
import type { Transition } from './recorder.js'
import type { Remains } from './remains.js'
import { FIRST_SPAWNED, JOB_ATTEMPTS, MAX_CRASHES, RUN_ATTEMPTS, type Job, type Plan } from './workload.js'

/** Looks at each change of a row as it is committed, and says what must never be. */
export class Watch {
  readonly violations: string[] = []
  /** Which process each grant was given to. */
  private readonly granted = new Map<string, string>()

  constructor(private readonly model: Model) {}

  readonly see = (transition: Transition): void => {
    if (transition.kind === 'message') this.message(transition)
    else this.checkpoint(transition)
  }

  private message({ id, before, after, dbAt, process }: Extract<Transition, { kind: 'message' }>): void {
    if (after === null) return
    if (before === null) {
      if (after.lease !== null) this.granted.set(`${id} ${after.lease}`, process)
      return
    }
    const at = `${id} at ${dbAt}`
    if (before.finishedAt !== null && after.status !== before.status) {
      const replayed = before.status === 'error' && after.status === 'queued' && this.replays(id) > 0
      if (!replayed) this.say(`terminal is final: ${at} went from ${before.status} to ${after.status}`)
    }
    if (after.lease !== null && after.lease !== before.lease) this.grant(id, before, after, dbAt, process)
    else if (after.claims !== before.claims)
      this.say(`a claim is a grant: ${at} was claimed without a new lease`)
    else this.ending(id, before, after, dbAt, process)
    if (after.crashes > before.crashes && (before.status !== 'running' || before.vt > dbAt)) {
      this.say(`only a lapsed lease is a crash: ${at}`)
    }
    const most = after.queue === 'flow' ? RUN_ATTEMPTS : JOB_ATTEMPTS
    if (after.failures > most) this.say(`attempts are limited: ${at} failed ${after.failures} times`)
    if (before.status === 'cancelling' && !['cancelling', 'cancelled'].includes(after.status)) {
      this.say(`what was asked to cancel ends cancelled: ${at} is ${after.status}`)
    }
    if (before.finishedAt === null && after.status === 'success' && after.lease === null) {
      this.say(`only a holder finishes: ${at}`)
    }
  }

  /** What is held is ended by who holds it; only what nobody holds any more can be cancelled by somebody else. */
  private ending(id: string, before: MessageState, after: MessageState, dbAt: number, process: string): void {
    const wasHeld = before.status === 'running' || before.status === 'cancelling'
    if (!wasHeld || after.status === before.status || after.status === 'cancelling') return
    if (after.status === 'cancelled' && before.vt <= dbAt) return
    const holder = this.granted.get(`${id} ${String(before.lease)}`)
    if (holder !== process) {
      this.say(
        `only its holder ends a hold: ${id} of ${String(holder)} was ended (${after.status}) by ${process} at ${dbAt}`,
      )
    }
  }

  private grant(id: string, before: MessageState, after: MessageState, dbAt: number, process: string): void {
    const at = `${id} at ${dbAt}`
    if (before.vt > dbAt) {
      const why = before.status === 'running' ? 'its lease held' : 'it was due'
      this.say(`nothing is claimed early: ${at} was granted ${before.vt - dbAt} ms before ${why}`)
    }
    if (before.finishedAt !== null) this.say(`nothing finished is claimed: ${at}`)
    if (after.finishedAt !== null) this.say(`a claim finishes nothing: ${at}`)
    const grant = `${id} ${String(after.lease)}`
    if (this.granted.has(grant)) this.say(`a grant is given once: ${at}`)
    this.granted.set(grant, process)
  }

  private checkpoint({ run, step, before, after }: Extract<Transition, { kind: 'checkpoint' }>): void {
    if (before === null || after === null || before.status === 'retrying') return
    if (after.output !== before.output || after.status !== before.status || after.error !== before.error) {
      this.say(`a recorded result stays: ${step} of ${run} was recorded again`)
    }
  }

  private replays(id: string): number {
    return this.model.asked.get(id)?.replays ?? 0
  }

  private say(what: string): void {
    this.violations.push(what)
  }
}

/** Judges the end of a schedule by the model: what must be there, what must not, and how each message may have ended. */
export function judge(model: Model, history: readonly HistoryEvent[], remains: Remains): string[] {
  const violations: string[] = []
  const returned = returnedBodies(history)
  for (const asked of model.all)
    violations.push(...presence(asked, remains), ...ending(asked, remains, returned))
  violations.push(
    ...phantoms(model, remains),
    ...transactions(remains),
    ...replays(history),
    ...repetitions(history),
  )
  return violations
}

function presence(asked: Asked, { messages, witnesses }: Remains): string[] {
  const there = messages.has(asked.id)
  const deleted = asked.handled.some(({ ending, outcome }) => ending === 'delete' && outcome !== 'fail')
  const found: string[] = []
  if (asked.stands === asked.id && !there && !deleted)
    found.push(`what was acknowledged is there: ${asked.id} is lost`)
  if (asked.stands !== asked.id && asked.inDoubt === 0 && there) {
    found.push(`what was refused is not there: ${asked.id} is`)
  }
  if (asked.queue === 'parcels') {
    const witnessed = witnesses.filter(({ witness }) => witness === asked.id).length
    if (witnessed !== (asked.stands === asked.id ? 1 : 0) || (there && witnessed === 0)) {
      found.push(`a message and its transaction are one: ${asked.id} has ${witnessed} witnesses`)
    }
  }
  return found
}

type Returned = ReadonlyMap<string, readonly BodyEnded[]>

function returnedBodies(history: readonly HistoryEvent[]): Returned {
  const bodies = new Map<string, BodyEnded[]>()
  for (const event of history) {
    if (event.kind !== 'ended' || event.how !== 'returned' || (event.of !== 'message' && event.of !== 'run'))
      continue
    const list = bodies.get(event.id) ?? []
    list.push(event)
    bodies.set(event.id, list)
  }
  return bodies
}

function ending(asked: Asked, { messages, checkpoints }: Remains, returned: Returned): string[] {
  const row = messages.get(asked.id)
  if (row === undefined) return []
  const found: string[] = []
  const say = (what: string): void =>
    void found.push(`${what}: ${asked.id} of ${asked.queue} is ${row.status}`)
  if (row.finishedAt === null) say('everything ends')
  if (asked.cancelled.length > 0 && row.status !== 'cancelled') say('an acknowledged cancel is kept')
  if (row.status === 'cancelled' && asked.cancels === 0) say('nothing is cancelled that nobody asked to')
  if (row.status === 'success' && asked.queue !== 'parcels') {
    const outputs = (returned.get(asked.id) ?? []).map(({ value }) => value)
    if (!outputs.includes(row.output ?? undefined)) say('a success has the output of a body')
  }
  if (asked.queue === 'jobs') job(asked, row, say)
  if (asked.queue === 'flow') run(asked, row, checkpoints, say)
  return found
}

function gaveUp(row: MessageState): boolean {
  return row.error?.includes('MAX_CRASHES') === true
}

function job(asked: Asked, row: MessageState, say: (what: string) => void): void {
  const { act } = asked.payload as Job
  if (gaveUp(row) && row.crashes < MAX_CRASHES) say('only what was lost too often is given up')
  if (row.status === 'success' && (act.do === 'fail' || act.do === 'terminal'))
    say('what always fails does not succeed')
  if (row.status !== 'error' || gaveUp(row)) return
  if (act.do === 'fail' && row.failures !== JOB_ATTEMPTS) say(`all attempts are made (${row.failures})`)
  if (act.do === 'terminal' && row.failures !== 1) say(`what is terminal is tried once (${row.failures})`)
  if (['return', 'slow', 'snooze', 'flaky'].includes(act.do)) say('what returns in the end succeeds')
}

function run(
  asked: Asked,
  row: MessageState,
  checkpoints: Remains['checkpoints'],
  say: (what: string) => void,
): void {
  const { parts, throws } = asked.payload as Plan
  const hopeless = throws || parts.some((part) => part.do === 'step' && part.fails >= 3)
  if (gaveUp(row) && row.crashes < MAX_CRASHES) say('only what was lost too often is given up')
  if (row.status === 'success' && hopeless) say('what always fails does not succeed')
  if (row.status === 'error' && !hopeless && !gaveUp(row))
    say(`what returns in the end succeeds (${String(row.error)})`)
  if (row.status === 'error' && hopeless && !gaveUp(row) && row.failures !== RUN_ATTEMPTS) {
    say(`all attempts are made (${row.failures})`)
  }
  if (row.status !== 'success') return
  const values = JSON.parse(row.output ?? '[]') as unknown[]
  parts.forEach((part, at) => {
    if (part.do !== 'step' && part.do !== 'transaction') return
    const name = part.do === 'step' ? `step${at}` : `record${at}`
    const recorded = checkpoints.get(`${asked.id}/${name}`)?.output
    if (recorded !== JSON.stringify(values[at])) say(`the output is made of what was recorded (${name})`)
  })
}

function phantoms(model: Model, { messages }: Remains): string[] {
  const found: string[] = []
  const seen = new Set<number>()
  for (const [id, { queue, payload }] of messages) {
    const { n } = JSON.parse(payload ?? '{}') as { n: number }
    if (seen.has(n)) found.push(`nothing is there twice: ${id} of ${queue} is a second ${n}`)
    seen.add(n)
    if (n < FIRST_SPAWNED && !model.asked.has(id))
      found.push(`nothing is there that nobody asked for: ${id} of ${queue}`)
  }
  return found
}

function transactions({ checkpoints, witnesses }: Remains): string[] {
  const found: string[] = []
  const effects = new Map<string, string[]>()
  for (const { run, step, value } of witnesses) {
    if (run === null) continue
    const name = `${run}/${String(step)}`
    effects.set(name, [...(effects.get(name) ?? []), JSON.stringify(value)])
  }
  for (const [name, { of, output }] of checkpoints) {
    if (of !== 'transaction') continue
    const values = effects.get(name) ?? []
    effects.delete(name)
    if (values.length !== 1 || values[0] !== output) {
      found.push(
        `a transaction's effect is there once: ${name} has ${values.length}, recorded ${String(output)}`,
      )
    }
  }
  for (const name of effects.keys()) found.push(`no effect without its checkpoint: ${name}`)
  return found
}

/** Each boundary gives the same value in every pass. */
function replays(history: readonly HistoryEvent[]): string[] {
  const values = new Map<string, string>()
  const found: string[] = []
  for (const event of history) {
    if (event.kind !== 'boundary' || event.how !== 'returned') continue
    const name = `${event.id}/${event.step}`
    const known = values.get(name)
    if (known !== undefined && known !== event.value) {
      found.push(`a replay sees what was seen: ${name} was ${known} and is ${String(event.value)}`)
    }
    values.set(name, event.value ?? '')
  }
  return found
}

/** Nothing runs again under a lease that was granted after its result was recorded. */
function repetitions(history: readonly HistoryEvent[]): string[] {
  const recorded = new Map<string, number>()
  const granted = new Map<string, number>()
  const found: string[] = []
  history.forEach((event, at) => {
    if (event.kind === 'message' && event.after?.lease != null && event.after.lease !== event.before?.lease) {
      granted.set(`${event.id} ${event.after.lease}`, at)
    } else if (event.kind === 'checkpoint') {
      const name = `${event.run}/${event.step}`
      if (event.after?.status === 'success') recorded.set(name, at)
      else recorded.delete(name)
    } else if (event.kind === 'started' && event.step !== undefined) {
      const name = `${event.id}/${event.step}`
      const since = granted.get(`${event.id} ${event.lease}`)
      if (since === undefined) found.push(`a body runs under a grant: ${name} has none`)
      else if ((recorded.get(name) ?? Infinity) < since)
        found.push(`what is recorded is not run again: ${name}`)
    }
  })
  return found
}
