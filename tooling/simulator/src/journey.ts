import type { Failure } from '@pgqrs/core/driver'
import type { Fate, Fates } from './fate.js'
import type { Life } from './life.js'
import type { Patience } from './patience.js'
import type { Recorder } from './recorder.js'
import type { Sabotage } from './sabotage.js'
import type { Fault } from './schedule.js'

/** What the network does to a call, as the driver of a real database would report it. */
export class NetworkFailure extends Error {
  constructor(readonly kind: Failure['kind']) {
    super(`the network says: ${kind}`)
  }
}

/** What the network needs of the world around it. */
export interface Surroundings {
  readonly fates: Fates
  readonly recorder: Recorder
  readonly patience: Patience
  readonly sabotage: Sabotage | undefined
  /** Whether anybody reads the notes. */
  readonly traced: boolean
  /** The database's clock, ms since the epoch. */
  databaseNow(): number
  crash(life: Life): void
  /** A message is there because of a sending whose sender had given it up. */
  unheard(id: string): void
  note(life: Life, what: string): void
}

/** The connection of one life. */
export interface Line {
  readonly life: Life
  readonly around: Surroundings
  /** Until then nothing gets through. */
  cutUntil: number
}

/** A call to the database. */
export interface Call<T> {
  readonly name: string
  /** It needs its process at the time of its execution: a transaction around code of the user's. */
  readonly inProcess: boolean
  work(fault: Fault | undefined): T | Promise<T>
  /** Told before the caller is. */
  answered(value: T): void
}

/** One call on its way: it is sent, executed and answered, each at its time, unless something befalls it. */
export class Journey<T> {
  private readonly fate: Fate

  constructor(
    private readonly line: Line,
    private readonly call: Call<T>,
    private readonly resolve: (value: T) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.fate = line.around.fates.draw(call.name)
  }

  begin(): void {
    const { fault } = this.fate
    const { life, around } = this.line
    if (around.traced) this.note(fault === undefined ? 'sent' : `sent, and then: ${fault.kind} ${fault.ms}`)
    if (life.timeline.now < this.line.cutUntil && !around.fates.healed)
      this.fail('unsent', this.fate.toDatabase)
    else if (fault === undefined) this.execute(this.fate.toDatabase)
    else this.befall(fault)
  }

  /** What happens at the sending, and whether the database hears of it. */
  private befall(fault: Fault): void {
    const { life, around } = this.line
    const { toDatabase } = this.fate
    switch (fault.kind) {
      case 'crash-before':
        around.crash(life)
        return
      case 'refuse':
        this.fail('unsent', toDatabase)
        return
      case 'busy':
        this.fail('retry', toDatabase)
        return
      case 'lose-call':
        this.fail('broken', toDatabase)
        return
      case 'late':
        // The client has given the connection up; the database reads what is in its socket a moment later.
        this.fail('broken', toDatabase)
        if (!this.call.inProcess) this.executeUnheard(toDatabase + (fault.ms % 400))
        return
      case 'cut':
        this.line.cutUntil = life.timeline.now + fault.ms
        break
      case 'crash-sent':
        if (!this.call.inProcess) around.crash(life)
        break
      case 'freeze-before':
      case 'freeze-sent':
        life.freeze(fault.ms)
        break
      default:
    }
    // Frozen before it could send, the process sends when it thaws, however late that is.
    const waits = fault.kind === 'stall-call' || fault.kind === 'freeze-before'
    this.execute(toDatabase + (waits ? fault.ms : 0))
  }

  private execute(inMs: number): void {
    const { life, around } = this.line
    const arrived = around.fates.underway(this.call.name)
    life.timeline.after(inMs, () => {
      arrived()
      // Who dies frozen sends nothing any more.
      if (this.fate.fault?.kind === 'freeze-before' && !life.alive) return
      if (!this.call.inProcess) this.run()
      else {
        life.reach(() => {
          this.run()
        })
      }
    })
  }

  private run(): void {
    const { life, around } = this.line
    const { fault } = this.fate
    if (around.traced) this.note('executed')
    atOnce(
      () => this.call.work(fault),
      (value) => {
        around.recorder.commit(life)
        const asOf = around.patience.changes
        this.answer(() => {
          if (around.traced) this.note('answered')
          life.hears({ to: this.call.name, asOf })
          this.call.answered(value)
          this.resolve(value)
        })
      },
      (error) => {
        around.recorder.rollBack()
        if (this.call.inProcess && fault?.kind === 'crash-sent') around.crash(life)
        this.answer(() => {
          if (around.traced) this.note(`refused: ${String(error)}`)
          life.hears({ to: this.call.name, asOf: undefined })
          this.reject(error)
        })
      },
    )
  }

  /** What happens on the way back. */
  private answer(deliver: () => void): void {
    const { life, around } = this.line
    const { back, fault } = this.fate
    if (fault?.kind === 'freeze-executed') life.freeze(fault.ms)
    if (fault?.kind === 'crash-executed') around.crash(life)
    if (fault?.kind === 'lose-answer' || fault?.kind === 'cut') {
      this.fail('broken', back)
      return
    }
    life.timeline.after(back + (fault?.kind === 'stall-answer' ? fault.ms : 0), () => {
      life.reach(deliver)
    })
  }

  private executeUnheard(inMs: number): void {
    const { life, around } = this.line
    const arrived = around.fates.underway(this.call.name)
    life.timeline.after(inMs, () => {
      arrived()
      if (around.traced) this.note('executed, too late for its sender')
      atOnce(
        () => this.call.work(undefined),
        () => {
          for (const id of around.recorder.commitUnheard(life)) around.unheard(id)
        },
        () => {
          around.recorder.rollBack()
        },
      )
    })
  }

  private fail(kind: Failure['kind'], inMs: number): void {
    const { life, around } = this.line
    life.timeline.after(inMs, () => {
      life.reach(() => {
        if (around.traced) this.note(kind)
        life.hears({ to: this.call.name, asOf: undefined })
        this.reject(new NetworkFailure(kind))
      })
    })
  }

  private note(what: string): void {
    this.line.around.note(this.line.life, `#${this.fate.call} ${this.call.name}: ${what}`)
  }
}

/** Tells what came of work: at once, unless it is a promise. */
function atOnce<T>(
  work: () => T | Promise<T>,
  accepted: (value: T) => void,
  refused: (error: unknown) => void,
): void {
  let value: T | Promise<T>
  try {
    value = work()
  } catch (error) {
    refused(error)
    return
  }
  if (value instanceof Promise) value.then(accepted, refused)
  else accepted(value)
}
