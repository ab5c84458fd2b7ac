import type { Driver, Failure, Row, Statement, TransactionPlan } from '@pgqrs/core/driver'
import { SqliteDialect } from '@pgqrs/core/driver'
import type { Fate, Fates } from './fate.js'
import { DATABASE_TIME, type Life } from './life.js'
import { nameOf } from './statement-names.js'
import type { Recorder } from './recorder.js'
import type { Sabotage } from './sabotage.js'

/** What the network does to a call, as the driver of a real database would report it. */
class NetworkFailure extends Error {
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
  readonly listeners: Set<Listener>
}

/** A process that listens for hints. */
export interface Listener {
  readonly life: Life
  heard(topics: readonly string[]): void
}

/** How the database looks to the engine. */
export interface Seeming {
  readonly oneWriter: boolean
  readonly hints: boolean
  readonly clock: 'database' | 'host'
}

// One for all lives: queries are compiled once for a dialect.
const dialect = new SqliteDialect()

/**
 * Puts a network between an engine and its database. Each call is sent, executed and answered, each at a time of its
 * own; on the way it may be delayed, lost, or meet its process dead or frozen.
 */
export class Network<Tx> implements Driver<Tx> {
  readonly name: string
  readonly dialect = dialect
  readonly capabilities
  readonly target: string
  readonly wake?: NonNullable<Driver['wake']>
  private cutUntil = -1

  constructor(
    private readonly inner: Driver<Tx>,
    private readonly life: Life,
    private readonly around: Surroundings,
    seeming: Seeming,
  ) {
    this.name = inner.name
    this.target = inner.target
    this.capabilities = {
      ...inner.capabilities,
      oneWriter: seeming.oneWriter,
      parallelFlushes: seeming.oneWriter ? 1 : 3,
      wake: seeming.hints ? ('push' as const) : ('none' as const),
      clock: seeming.clock,
      shared: true,
    }
    if (seeming.hints) this.wake = this.channel()
  }

  readonly execute = (statements: readonly Statement[]): Promise<Row[][]> => {
    const names = statements.map((statement) => nameOf(statement.sql))
    return this.carry(
      names.join(' '),
      () => this.inner.execute(this.timed(statements)),
      (rows) => {
        this.answered(statements, names, rows)
      },
    )
  }

  /** The user's code runs in the process, so a process that has died meanwhile commits nothing. */
  transaction<T>(plan: TransactionPlan<Tx, T>): Promise<T> {
    let dies = false
    const timedPlan: TransactionPlan<Tx, T> = {
      ...plan,
      before: this.timed([plan.before])[0] as Statement,
      after: (value) => {
        const statements = this.timed(plan.after(value))
        if (dies) throw new NetworkFailure('broken')
        return statements
      },
    }
    return this.carry(
      'transaction',
      (fate) => {
        dies = fate.fault?.kind === 'crash-sent'
        return this.inner.transaction(timedPlan)
      },
      () => undefined,
      true,
    )
  }

  within(tx: unknown): ((statements: readonly Statement[]) => Promise<Row[][]>) | undefined {
    const execute = this.inner.within(tx)
    return execute === undefined ? undefined : (statements) => execute(this.timed(statements))
  }

  classify(error: unknown): Failure {
    return error instanceof NetworkFailure ? { kind: error.kind } : this.inner.classify(error)
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  /** Sends, executes and answers one call. `here`: it needs its process at the time of its execution. */
  private carry<T>(
    name: string,
    work: (fate: Fate) => Promise<T>,
    answered: (value: T) => void,
    here = false,
  ): Promise<T> {
    const { life, around } = this
    const { timeline } = life
    return new Promise((resolve, reject) => {
      const fate = around.fates.draw(name)
      const { call, fault } = fate
      const note = (what: string): void => {
        around.note(life, `#${call} ${name}: ${what}`)
      }
      const fail = (kind: Failure['kind'], inMs: number): void => {
        timeline.after(inMs, () => {
          life.reach(() => {
            note(kind)
            reject(new NetworkFailure(kind))
          })
        })
      }
      const answer = (deliver: () => void): void => {
        const back = fate.back + (fault?.kind === 'stall-answer' ? fault.ms : 0)
        if (fault?.kind === 'freeze-executed') life.freeze(fault.ms)
        if (fault?.kind === 'crash-executed') around.crash(life)
        if (fault?.kind === 'lose-answer' || fault?.kind === 'late' || fault?.kind === 'cut')
          fail('broken', back)
        else
          timeline.after(back, () => {
            life.reach(deliver)
          })
      }
      const run = (): void => {
        if (here && !life.alive) return
        note('executed')
        work(fate).then(
          (value) => {
            around.recorder.commit(life)
            answer(() => {
              note('answered')
              answered(value)
              resolve(value)
            })
          },
          (error: unknown) => {
            around.recorder.rollBack()
            if (here && fault?.kind === 'crash-sent') around.crash(life)
            answer(() => {
              note(`refused: ${String(error)}`)
              reject(error as Error)
            })
          },
        )
      }
      note(fault === undefined ? 'sent' : `sent, and then: ${fault.kind} ${fault.ms}`)
      if (timeline.now < this.cutUntil && !around.fates.healed) {
        fail('unsent', fate.toDatabase)
        return
      }
      switch (fault?.kind) {
        case 'crash-before':
          around.crash(life)
          return
        case 'refuse':
          fail('unsent', fate.toDatabase)
          return
        case 'busy':
          fail('retry', fate.toDatabase)
          return
        case 'lose-call':
          fail('broken', fate.toDatabase)
          return
        case 'cut':
          this.cutUntil = timeline.now + fault.ms
          break
        case 'crash-sent':
          if (!here) around.crash(life)
          break
        case 'freeze-before':
        case 'freeze-sent':
          life.freeze(fault.ms)
          break
        case 'late':
          // The client has given the connection up; the database reads what is in its socket a moment later.
          if (here) {
            fail('broken', fate.toDatabase)
            return
          }
          fail('broken', fate.toDatabase)
          timeline.after(fate.toDatabase + (fault.ms % 400), () => {
            this.executeUnheard(work, fate, note)
          })
          return
        case 'stall-call':
        case undefined:
        default:
      }
      // Frozen before it could send, the process sends when it thaws, however late that is.
      const waits = fault?.kind === 'stall-call' || fault?.kind === 'freeze-before'
      const toDatabase = fate.toDatabase + (waits ? fault.ms : 0)
      timeline.after(toDatabase, () => {
        if (here) life.reach(run)
        else run()
      })
    })
  }

  private executeUnheard(
    work: (fate: Fate) => Promise<unknown>,
    fate: Fate,
    note: (what: string) => void,
  ): void {
    note('executed, too late for its sender')
    work(fate).then(
      () => {
        this.around.recorder.commit(this.life)
      },
      () => {
        this.around.recorder.rollBack()
      },
    )
  }

  /** The database's time in place of the engine's word for it, and the sabotage of a negative control. */
  private timed(statements: readonly Statement[]): Statement[] {
    const now = this.around.databaseNow()
    const { sabotage } = this.around
    return statements.map((statement) => {
      const bound = {
        ...statement,
        parameters: statement.parameters.map((value) => (value === DATABASE_TIME ? now : value)),
      }
      return sabotage?.statement?.(bound, nameOf(statement.sql)) ?? bound
    })
  }

  /** Takes note of grants, and of writes of a holder that took effect. */
  private answered(statements: readonly Statement[], names: readonly string[], rows: readonly Row[][]): void {
    names.forEach((name, at) => {
      const answer = rows[at] ?? []
      if (name === 'claim' || name === 'recover') {
        const lease = statements[at]?.parameters.find(isLease)
        for (const row of answer) this.life.leases.set(String(row['id']), String(lease))
      }
      this.around.recorder.accepted(this.life, name, answer, statements[at])
    })
  }

  private channel(): NonNullable<Driver['wake']> {
    const { life, around } = this
    return {
      listen: (heard, proved) => {
        const listener = { life, heard }
        around.listeners.add(listener)
        proved(true)
        return Promise.resolve(() => {
          around.listeners.delete(listener)
          return Promise.resolve()
        })
      },
      notify: (topics) => {
        for (const listener of around.listeners) {
          const ms = around.fates.latency()
          // Hints may be lost, and nothing may depend on them.
          if (ms % 4 === 3) continue
          life.timeline.after(ms, () => {
            listener.life.reach(() => {
              listener.heard(topics)
            })
          })
        }
        return Promise.resolve()
      },
    }
  }
}

/** A grant, as the seeded randomness draws them. */
export function isLease(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && value[14] === '4'
}
