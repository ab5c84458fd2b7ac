import type { Cancel } from '@pgqrs/core/driver'
import type { Transition } from './recorder.js'
import type { Timeline } from './timeline.js'

/** A timer of the engine that only looks for what somebody may have done, and has come to its time. */
export interface Look {
  /** Names of the statements whose answer it follows. */
  readonly after: string
  /** How many changes that answer took in; undefined: it was none. */
  readonly asOf: number | undefined
  /** How long it waits from one look to the next. */
  readonly everyMs: number
  /** By how much it may be late when nobody does anything. */
  readonly slackMs: () => number
  readonly run: () => void
}

interface Held {
  readonly look: Look
  readonly since: number
  cancel: Cancel
}

/** Which changes make a difference to whom; to any other look every change may. */
const concerns: Readonly<Record<string, (change: Transition) => boolean>> = {
  'next-due': isWork,
  outcomes: isEnd,
}

/**
 * Holds back the looks of idle processes that are sure to find what they have found before, until somebody changes
 * something that concerns them. Then each goes on in its own rhythm, and finds the change no sooner than it would have.
 */
export class Patience {
  private count = 0
  /** The last change that concerned such a look. */
  private readonly last = new Map<string, number>()
  private readonly held = new Set<Held>()

  constructor(private readonly timeline: Timeline) {}

  /** Changes of the database so far. */
  get changes(): number {
    return this.count
  }

  /** A row was changed: whom it concerns has a reason to look. */
  readonly changed = (change: Transition): void => {
    this.count++
    for (const [after, fits] of Object.entries(concerns)) if (fits(change)) this.last.set(after, this.count)
    this.goOn()
  }

  /** Everything may be another than it was. */
  upset(): void {
    this.count++
    for (const after of Object.keys(concerns)) this.last.set(after, this.count)
    this.goOn()
  }

  /** Runs a look that has come to its time: now, or when there may be something to find. */
  hold(look: Look): Cancel {
    const slackMs = this.hasNews(look) ? 0 : look.slackMs()
    if (slackMs <= 0) {
      look.run()
      return nothing
    }
    const held: Held = { look, since: this.timeline.now, cancel: nothing }
    this.held.add(held)
    if (Number.isFinite(slackMs)) {
      held.cancel = this.timeline.after(slackMs, () => {
        this.held.delete(held)
        look.run()
      })
    }
    return () => {
      this.held.delete(held)
      held.cancel()
    }
  }

  private hasNews({ after, asOf }: Look): boolean {
    return asOf === undefined || (after in concerns ? (this.last.get(after) ?? 0) : this.count) > asOf
  }

  private goOn(): void {
    for (const held of this.held) {
      if (!this.hasNews(held.look)) continue
      this.held.delete(held)
      held.cancel()
      held.cancel = this.timeline.after(this.untilNext(held), held.look.run)
    }
  }

  private untilNext({ look, since }: Held): number {
    const every = Math.max(1, Math.ceil(look.everyMs))
    const late = (this.timeline.now - since) % every
    return late === 0 ? 0 : every - late
  }
}

/** A message can be claimed, or sooner than before. */
function isWork(change: Transition): boolean {
  if (change.kind !== 'message' || change.after === null) return false
  const { before, after } = change
  return before === null || after.vt < before.vt || (after.finishedAt === null && before.finishedAt !== null)
}

/** A message is over. */
function isEnd(change: Transition): boolean {
  return change.kind === 'message' && (change.after === null || change.after.finishedAt !== null)
}

function nothing(): void {
  // There is nothing to cancel.
}
