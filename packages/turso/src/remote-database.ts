import type { Client, Transaction } from '@libsql/client'
import { WriterQueue, type Row, type Statement, type TransactionPlan } from '@pgqrs/core/driver'
import type { ClientSource } from './client-source.js'
import type { LibsqlDatabase, Surroundings } from './database.js'
import { isBusy, NoAnswerError } from './failure.js'
import { carryOut } from './transaction.js'
import { bind, engineRows } from './values.js'

/**
 * A database behind a server: one request for each call of the engine. Every request is answered in time or rejects.
 *
 * An embedded replica is one, too, with a single connection and therefore `oneAtATime`. It cannot be created without
 * a sync server that can be reached, so that it works is untested.
 */
export class RemoteDatabase implements LibsqlDatabase {
  private readonly queue = new WriterQueue()
  private readonly pending = new Set<Promise<unknown>>()

  constructor(
    private readonly source: ClientSource,
    private readonly oneAtATime: boolean,
    private readonly surroundings: Surroundings,
  ) {}

  readonly execute = (statements: readonly Statement[]): Promise<Row[][]> => {
    const [first, ...others] = statements.map(bind)
    if (first === undefined) return Promise.resolve([])
    const mode = statements.every((statement) => statement.reads) ? 'deferred' : 'write'
    return this.scheduled(() =>
      this.answered(async (client) => {
        if (others.length === 0) return [engineRows(await client.execute(first))]
        return (await client.batch([first, ...others], mode)).map(engineRows)
      }),
    )
  }

  transaction<T>(plan: TransactionPlan<Transaction, T>): Promise<T> {
    return this.scheduled(async () => {
      const tx = await this.answered((client) => client.transaction('write'))
      try {
        const value = await carryOut(plan, tx, this.surroundings.clock)
        await this.answered(() => tx.commit())
        return value
      } catch (error) {
        await this.rollBack(tx)
        throw error
      } finally {
        tx.close()
      }
    })
  }

  // Without an answer the server rolls back by itself; the error on its way to the caller is the one that counts.
  private async rollBack(tx: Transaction): Promise<void> {
    await this.answered(() => tx.rollback()).catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.queue.drained()
    await Promise.allSettled(this.pending)
    this.source.close()
  }

  private scheduled<T>(work: () => Promise<T>): Promise<T> {
    const result = this.oneAtATime ? this.queue.turn(work) : work()
    this.pending.add(result)
    const forget = (): void => void this.pending.delete(result)
    result.then(forget, forget)
    return result
  }

  /** @throws NoAnswerError when the server takes too long, and what the client throws. */
  private async answered<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    const { clock, patienceMs } = this.surroundings
    const client = this.source.current()
    let cancel: (() => void) | undefined
    const late = new Promise<never>((_resolve, reject) => {
      cancel = clock.after(patienceMs, () => {
        reject(new NoAnswerError(`The server did not answer within ${patienceMs} ms.`))
      })
    })
    try {
      return await Promise.race([ask(client), late])
    } catch (error) {
      if (this.isSpent(client, error)) this.source.giveUp(client)
      throw error
    } finally {
      cancel?.()
    }
  }

  // A WebSocket that brings no answer will bring no other one, and a replica that was busy is a poisoned file.
  private isSpent(client: Client, error: unknown): boolean {
    if (this.oneAtATime) return isBusy(error)
    return error instanceof NoAnswerError && client.protocol === 'ws'
  }
}
