import { ReplayDivergedError } from '../errors.js'
import type { StepKind, StepStatus } from '../status.js'
import type { HistoryRow } from '../store/records.js'

/** A checkpoint as replay uses it. */
export interface Checkpoint {
  readonly name: string
  readonly kind: StepKind
  readonly status: StepStatus
  readonly output: string | null
  readonly error: string | null
  readonly failures: number
  readonly wakeAtMs: number | null
  readonly position: number
  /** How many checkpoints of its scope the code had seen when it reached this one; below 0: a signal from outside. */
  readonly seen: number
}

/** Where scopes of a run are on the way through its history. */
export interface ScopeProgress {
  /** Checkpoints of the scope the code has seen so far; undefined when the code has not entered the scope. */
  seenIn(scope: string): number | undefined
}

/** The recorded checkpoints of a run, and which of them the code has come by in this replay. */
export class History {
  private readonly byName = new Map<string, Checkpoint>()
  private readonly unvisited = new Set<string>()
  private highest = 0

  /** @param json what a claim brought along: the code must come by all of it again. */
  constructor(json: string | null) {
    for (const checkpoint of checkpoints(json)) {
      this.keep(checkpoint)
      if (mustBeVisited(checkpoint)) this.unvisited.add(checkpoint.name)
    }
  }

  /**
   * Adds what was recorded since the claim: by this pass itself, or as a signal from outside. What was there before
   * stays as it was; only a count of failures gives way to what came of the step.
   */
  add(json: string | null): void {
    for (const checkpoint of checkpoints(json)) {
      const known = this.byName.get(checkpoint.name)
      if (known === undefined || known.status === 'retrying') this.keep(checkpoint)
    }
  }

  private keep(checkpoint: Checkpoint): void {
    this.highest = Math.max(this.highest, checkpoint.position)
    this.byName.set(checkpoint.name, checkpoint)
  }

  /** The checkpoint of that name, without coming by it. */
  get(name: string): Checkpoint | undefined {
    return this.byName.get(name)
  }

  /** The position after the last recorded one. */
  nextPosition(): number {
    return ++this.highest
  }

  /** Something is recorded that the code has not come by yet. */
  get replaying(): boolean {
    return this.unvisited.size > 0
  }

  /**
   * The checkpoint of that name, now visited.
   * @throws ReplayDivergedError when the code wants another kind of boundary under this name.
   */
  visit(name: string, kind: StepKind): Checkpoint | undefined {
    const checkpoint = this.byName.get(name)
    if (checkpoint === undefined) return undefined
    if (checkpoint.kind !== kind) {
      throw new ReplayDivergedError(
        `The code no longer fits the run's history: ${name} is a ${kind} in the code and was recorded as a ${checkpoint.kind}.`,
      )
    }
    this.unvisited.delete(name)
    return checkpoint
  }

  /**
   * Called before anything new is executed, when all that can be replayed has been: a checkpoint the code should have
   * come by and has not means that the code has changed.
   * @throws ReplayDivergedError
   */
  mustAllow(newStep: string, progress: ScopeProgress): void {
    const skipped = this.skipped(progress)
    if (skipped.length > 0) this.diverged(`reaches ${newStep}, which was not recorded`, skipped)
  }

  /** What was recorded and the code has not come by: all of it, or what it should have come by so far. */
  skipped(progress?: ScopeProgress): string[] {
    const due = (name: string): boolean => {
      if (progress === undefined) return true
      const seenNow = progress.seenIn(scopeOf(name))
      return seenNow !== undefined && (this.byName.get(name)?.seen ?? 0) <= seenNow
    }
    return [...this.unvisited].filter((name) => due(name) && !this.within(name))
  }

  /** The code need not come by checkpoints whose names begin with `prefix`. */
  excuse(prefix: string): void {
    for (const name of this.unvisited) if (name.startsWith(prefix)) this.unvisited.delete(name)
  }

  /*
   * A step that was called from the body of another one is not come by again once the other is recorded. It shows as
   * one that began no earlier than a visited step of its scope and was recorded before it.
   */
  private within(name: string): boolean {
    const inner = this.byName.get(name)
    if (inner === undefined) return false
    for (const outer of this.byName.values()) {
      if (this.unvisited.has(outer.name) || scopeOf(outer.name) !== scopeOf(name)) continue
      if (outer.kind === 'step' && outer.seen <= inner.seen && outer.position > inner.position) return true
    }
    return false
  }

  /** @throws ReplayDivergedError when the code has ended and left out something that was recorded. */
  mustBeComplete(): void {
    const skipped = this.skipped()
    if (skipped.length > 0) this.diverged('returns', skipped)
  }

  private diverged(what: string, skipped: readonly string[]): never {
    const recorded = [...this.byName.values()].sort((a, b) => a.position - b.position)
    const lines = recorded.map((c) => `  ${skipped.includes(c.name) ? '- ' : '  '}${c.name} (${c.kind})`)
    throw new ReplayDivergedError(
      `The code no longer fits the run's history: it ${what}, without coming by ${skipped.join(', ')}. ` +
        `Nothing was executed. Recorded so far (- is what the code skips):\n${lines.join('\n')}\n` +
        'Deploy code that fits and retry the run.',
    )
  }
}

function checkpoints(json: string | null): Checkpoint[] {
  const rows = json === null ? [] : (JSON.parse(json) as HistoryRow[])
  return rows.map(([name, kind, status, output, error, failures, wakeAtMs, position, seen]) => {
    return { name, kind, status, output, error, failures, wakeAtMs, position, seen }
  })
}

// A count of failures is no result; a signal may have come for a pause the code has not reached.
function mustBeVisited(checkpoint: Pick<Checkpoint, 'kind' | 'status' | 'seen'>): boolean {
  return checkpoint.status !== 'retrying' && checkpoint.kind !== 'timer' && checkpoint.seen >= 0
}

/** The scope part of a checkpoint's name: `hash[3]` of `hash[3]/read`, empty at the top. */
export function scopeOf(name: string): string {
  const slash = name.lastIndexOf('/')
  return slash === -1 ? '' : name.slice(0, slash)
}
