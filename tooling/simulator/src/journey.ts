import type { Failure } from '@pgqrs/core/driver'
import type { Fate, Fates } from './fate.js'
import type { Life } from './life.js'
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
  readonly sabotage: Sabotage | undefined
  /** The database's clock, ms since the epoch. */
  databaseNow(): number
  crash(life: Life): void
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
  work(fault: Fault | undefined): Promise<T>
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
    this.note(fault === undefined ? 'sent' : `sent, and then: ${fault.kind} ${fault.ms}`)
    const { life, around } = this.line
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
    this.note('executed')
    this.call.work(fault).then(
      (value) => {
        around.recorder.commit(life)
        this.answer(() => {
          this.note('answered')
          this.call.answered(value)
          this.resolve(value)
        })
      },
      (error: unknown) => {
        around.recorder.rollBack()
        if (this.call.inProcess && fault?.kind === 'crash-sent') around.crash(life)
        this.answer(() => {
          this.note(`refused: ${String(error)}`)
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
      this.note('executed, too late for its sender')
      this.call.work(undefined).then(
        () => {
          around.recorder.commit(life)
        },
        () => {
          around.recorder.rollBack()
        },
      )
    })
  }

  private fail(kind: Failure['kind'], inMs: number): void {
    const { life } = this.line
    life.timeline.after(inMs, () => {
      life.reach(() => {
        this.note(kind)
        this.reject(new NetworkFailure(kind))
      })
    })
  }

  private note(what: string): void {
    this.line.around.note(this.line.life, `#${this.fate.call} ${this.call.name}: ${what}`)
  }
}
