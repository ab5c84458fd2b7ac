import type { Client, Transaction } from '@libsql/client'
import { delay, WriterQueue, type Row, type Statement, type TransactionPlan } from '@pgqrs/core/driver'
import type { ClientSource } from './client-source.js'
import type { LibsqlDatabase, Surroundings } from './database.js'
import { isBusy } from './failure.js'
import { carryOut } from './transaction.js'
import { bind, engineRows } from './values.js'

/** How long the client itself waits for a lock, in ms. It does so on the event loop. */
export const BLOCKING_WAIT_MS = 20

/** The clients of a local database. */
export interface LocalClients {
  readonly writer: ClientSource
  /** A second connection, so that reads need not wait for a user's transaction; undefined where there is only one. */
  readonly reader: ClientSource | undefined
}

/**
 * A database file, or one in memory. One queue of writers in this process; a writer of another process is waited for
 * without blocking the event loop.
 *
 * A prepared statement that fails with SQLITE_BUSY stays unfinished in this client (0.18). From then on its connection
 * cannot commit: a batch fails, a single write resolves and is lost, and closing does not let go of the lock. So the
 * lock is tried with `executeMultiple`, whose statements end when it returns, and a client that met SQLITE_BUSY in a
 * prepared one is never used again.
 */
export class LocalDatabase implements LibsqlDatabase {
  private readonly queue = new WriterQueue()
  // The client's pool opens a connection when it likes, so the settings are part of every BEGIN.
  private readonly settings: string

  constructor(
    private readonly clients: LocalClients,
    wal: boolean,
    private readonly surroundings: Surroundings,
  ) {
    this.settings = `${wal ? 'pragma journal_mode = wal; ' : ''}pragma synchronous = full;`
  }

  readonly execute = (statements: readonly Statement[]): Promise<Row[][]> => {
    const { reader, writer } = this.clients
    if (!statements.every((statement) => statement.reads)) {
      return this.queue.turn(() => this.patiently(() => this.write(statements)))
    }
    if (reader !== undefined) return this.patiently(() => read(reader, statements))
    return this.queue.turn(() => this.patiently(() => read(writer, statements)))
  }

  // From BEGIN to COMMIT the batch does not give way, so no other connection of this process runs into its lock.
  private async write(statements: readonly Statement[]): Promise<Row[][]> {
    const { writer } = this.clients
    await writer.current().executeMultiple(`${this.settings} begin immediate; rollback`)
    return poisonable(writer, async (client) =>
      (await client.batch(statements.map(bind), 'write')).map(engineRows),
    )
  }

  transaction<T>(plan: TransactionPlan<Transaction, T>): Promise<T> {
    return this.queue.turn(async () => {
      const tx = await this.patiently(() => this.begin())
      return poisonable(this.clients.writer, async () => {
        try {
          const value = await carryOut(plan, tx, this.surroundings.clock)
          await this.patiently(() => tx.executeMultiple('commit'))
          return value
        } finally {
          tx.close()
        }
      })
    })
  }

  private async begin(): Promise<Transaction> {
    // The client has no way to begin that does not prepare BEGIN IMMEDIATE, except this.
    const tx = await this.clients.writer.current().transaction('deferred')
    try {
      await tx.executeMultiple(`commit; ${this.settings} begin immediate`)
      return tx
    } catch (error) {
      tx.close()
      throw error
    }
  }

  /**
   * A number that changes when another connection has committed; undefined while ours is in use.
   * @throws what the client throws.
   */
  async version(): Promise<unknown> {
    if (!this.queue.idle) return undefined
    const [[row] = []] = await this.queue.turn(() => read(this.clients.writer, [dataVersion]))
    return row?.['data_version']
  }

  async close(): Promise<void> {
    await this.queue.drained()
    this.clients.reader?.close()
    this.clients.writer.close()
  }

  /** Tries until another connection lets go of its lock. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const { clock, random, patienceMs } = this.surroundings
    const giveUpAt = clock.monotonic() + patienceMs
    for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
      try {
        return await work()
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() >= giveUpAt) throw error
        await delay(clock, wait * (0.5 + random.fraction()))
      }
    }
  }
}

const dataVersion: Statement = { sql: 'pragma data_version', parameters: [], reads: true }

/** Executes prepared statements, and gives the client up when one of them met SQLITE_BUSY. */
async function poisonable<T>(source: ClientSource, work: (client: Client) => Promise<T>): Promise<T> {
  const client = source.current()
  try {
    return await work(client)
  } catch (error) {
    if (isBusy(error)) source.giveUp(client)
    throw error
  }
}

function read(source: ClientSource, statements: readonly Statement[]): Promise<Row[][]> {
  return poisonable(source, async (client) => {
    const [first, ...others] = statements.map(bind)
    if (first === undefined) return []
    if (others.length === 0) return [engineRows(await client.execute(first))]
    return (await client.batch([first, ...others], 'deferred')).map(engineRows)
  })
}
