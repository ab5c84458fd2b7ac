import type { Driver, Row, Statement, TransactionPlan } from '@pgqrs/core/driver'

/** What becomes of a process with what it sends: it lives on, or dies before it is sent or before the answer arrives. */
export type Fate = 'lives' | 'dies before' | 'dies after'

/**
 * For `connect({ wrapDriver })`: a process that dies at a chosen moment. From then on nothing it sends reaches the
 * database, so whatever it holds it holds until the lease lapses.
 */
export class Mortal {
  private isDead = false

  constructor(private readonly fate: (statements: readonly Statement[]) => Fate = () => 'lives') {}

  /** Whether the moment has come. */
  get dead(): boolean {
    return this.isDead
  }

  /** Brings the moment on. */
  kill(): void {
    this.isDead = true
  }

  readonly wrapDriver = (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, name) => {
        if (name === 'execute') return (statements: readonly Statement[]) => this.execute(target, statements)
        if (name === 'transaction')
          return <T>(plan: TransactionPlan<unknown, T>) => this.transaction(target, plan)
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })

  private async execute(driver: Driver, statements: readonly Statement[]): Promise<Row[][]> {
    this.mustLive()
    const fate = this.fate(statements)
    if (fate === 'dies before') this.kill()
    this.mustLive()
    const rows = await driver.execute(statements)
    if (fate === 'dies after') this.kill()
    this.mustLive()
    return rows
  }

  private async transaction<T>(driver: Driver, plan: TransactionPlan<unknown, T>): Promise<T> {
    this.mustLive()
    const value = await driver.transaction({
      ...plan,
      check: (rows) => {
        plan.check(rows)
      },
      work: (tx) => plan.work(tx),
      after: (result) => {
        this.mustLive()
        const statements = plan.after(result)
        if (this.fate(statements) === 'dies before') this.kill()
        this.mustLive()
        return statements
      },
      checkAfter: (rows) => {
        plan.checkAfter(rows)
      },
    })
    this.mustLive()
    return value
  }

  private mustLive(): void {
    if (this.isDead) throw new Error('this process is dead')
  }
}

/** Whether one of the statements writes a checkpoint. */
export function recordsStep(statements: readonly Statement[]): boolean {
  return statements.some(({ sql }) => /insert into \S*pgqrs_steps/.test(sql))
}

/** Whether one of the statements ends a run or message. */
export function finishes(statements: readonly Statement[]): boolean {
  return statements.some(({ sql }) => /r\.failed, finished_at/.test(sql))
}
