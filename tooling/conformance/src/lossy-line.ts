import type { Driver, Failure, TransactionPlan } from '@pgqrs/core/driver'
import { transitionOf, type Transition } from './crash-points.js'
import { interpose } from './interpose.js'

/** What is lost: the request before it took effect, or the answer after it did. The sender cannot tell them apart. */
export type Loss = 'request' | 'answer'

/** What can be lost on a {@link LossyLine}: a transition, or the COMMIT of a user's transaction. */
export type Lossy = Transition | 'commit'

/** The connection broke while something was under way. */
class LineBroke extends Error {}

/** There is no connection: nothing was sent. */
class LineDown extends Error {}

/** For `connect({ wrapDriver })`: a line to the database that loses what it is told to lose, once. */
export class LossyLine {
  private losing: { readonly what: Lossy; readonly loss: Loss } | undefined
  private isDown = false
  private goesDown = false

  /** Loses the next of these. */
  lose(what: Lossy, loss: Loss): void {
    this.losing = { what, loss }
  }

  /** As {@link lose}, and the line stays down afterwards. */
  loseAndGoDown(what: Lossy, loss: Loss): void {
    this.lose(what, loss)
    this.goesDown = true
  }

  /** What it was told to lose has been lost. */
  get lost(): boolean {
    return this.losing === undefined
  }

  set down(down: boolean) {
    this.isDown = down
  }

  readonly wrapDriver = (driver: Driver): Driver =>
    interpose(driver, {
      execute: (statements) => {
        const transitions: readonly (Lossy | undefined)[] = statements.map(transitionOf)
        const loss = this.take((what) => transitions.includes(what))
        return this.pass(loss, () => driver.execute(statements))
      },
      transaction: <T>(plan: TransactionPlan<unknown, T>) => this.transaction(driver, plan),
      classify: (error) => ofLine(error) ?? driver.classify(error),
    })

  private transaction<T>(driver: Driver, plan: TransactionPlan<unknown, T>): Promise<T> {
    let loss: Loss | undefined
    return this.pass(undefined, async () => {
      const value = await driver.transaction({
        ...plan,
        checkAfter: (rows) => {
          plan.checkAfter(rows)
          loss = this.take((what) => what === 'commit')
          // The server hears no COMMIT and rolls back.
          if (loss === 'request') throw new LineBroke('the line broke before COMMIT arrived')
        },
      })
      if (loss === 'answer') throw new LineBroke('the line broke after COMMIT took effect')
      return value
    })
  }

  private async pass<T>(loss: Loss | undefined, send: () => Promise<T>): Promise<T> {
    if (loss === 'request') throw new LineBroke('the line broke before the request arrived')
    if (this.isDown && loss === undefined) throw new LineDown('the line is down')
    const answer = await send()
    if (loss === 'answer') throw new LineBroke('the line broke before the answer arrived')
    return answer
  }

  private take(matches: (what: Lossy) => boolean): Loss | undefined {
    if (this.losing === undefined || !matches(this.losing.what)) return undefined
    const { loss } = this.losing
    this.losing = undefined
    this.isDown ||= this.goesDown
    return loss
  }
}

function ofLine(error: unknown): Failure | undefined {
  if (error instanceof LineBroke) return { kind: 'broken' }
  return error instanceof LineDown ? { kind: 'unsent' } : undefined
}
