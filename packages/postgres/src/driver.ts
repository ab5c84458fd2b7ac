import type { TransactionSql } from 'postgres'
import {
  PostgresDialect,
  systemClock,
  type Capabilities,
  type Clock,
  type Driver,
  type Execute,
  type Failure,
  type Row,
  type Statement,
  type TransactionPlan,
} from '@pgqrs/core/driver'
import { within } from './adapter.js'
import { Connection, type ConnectionUse } from './connection.js'
import { diagnose } from './diagnosis.js'
import { classify } from './failure.js'
import { runPlan, runTogether } from './lane.js'
import { describe, type Parameters } from './parameters.js'
import { Pool } from './pool.js'
import { NotifyChannel } from './wake.js'

/** What a driver is made from. */
export interface DriverSettings {
  readonly parameters: Parameters
  /** Where to listen, also when `parameters` lead through a pooler; false: not at all. */
  readonly listen: Parameters | false
  readonly schema: string | undefined
  /** Connections for the engine's statements; half as many more carry transactions of users. */
  readonly maxConnections: number
  readonly connectionTimeoutMs: number
  readonly clock?: Clock
}

// A single statement of the engine's takes milliseconds. One that waits this long has lost its connection, and must
// be known to have done so before the default lease of 30 s lapses.
const SHORTEST_ANSWER_MS = 5000
// Migrations may build indexes on large tables, and wait for each other; counts and purges walk over large tables.
const SLOW_ANSWER_MS = 15 * 60_000

/**
 * Postgres through postgres.js. Every connection, also on behalf of an application's client, is one of our own that
 * never reconnects: see `Connection`. postgres.js's own pool was measured to lose itself when backends die.
 */
export class PostgresDriver implements Driver<TransactionSql> {
  readonly name = 'postgres'
  readonly dialect: PostgresDialect
  readonly capabilities: Capabilities
  readonly target: string
  readonly wake: NotifyChannel
  readonly #pool: Pool
  readonly #lanes: Pool
  readonly #schema: string | undefined
  readonly #answerMs: number
  readonly #clock: Clock

  constructor(settings: DriverSettings) {
    const { parameters, listen, schema, maxConnections, connectionTimeoutMs, clock = systemClock } = settings
    this.#schema = schema
    this.#clock = clock
    this.#answerMs = Math.max(SHORTEST_ANSWER_MS, 2 * connectionTimeoutMs)
    this.dialect = new PostgresDialect(schema)
    this.target = describe(parameters, schema)
    this.capabilities = {
      wake: 'push',
      parallelFlushes: 3,
      oneWriter: false,
      clock: 'database',
      shared: true,
      schemas: true,
    }
    const use: ConnectionUse = { limitMs: connectionTimeoutMs, clock }
    this.#pool = new Pool({
      max: maxConnections,
      clock,
      waitMs: connectionTimeoutMs,
      open: () => Connection.open(parameters, use),
    })
    // Who waits for a lane waits for transactions with a limit each, so there is no limit to the wait.
    this.#lanes = new Pool({
      max: Math.max(1, Math.floor(maxConnections / 2)),
      clock,
      open: () => Connection.open(parameters, { ...use, asClient: true }),
    })
    this.wake = new NotifyChannel({
      open: listen === false ? undefined : (onNotify) => Connection.open(listen, { ...use, onNotify }),
      execute: this.execute,
      schema,
      clock,
    })
  }

  /** @throws ConnectionLost, ClosedError, or the server's error: see {@link classify}. */
  readonly execute: Execute = (statements) =>
    this.#explained(() =>
      this.#pool.use(async (connection) => {
        const [only] = statements
        if (only === undefined) return []
        if (statements.length === 1) return [await this.#run(connection, only)]
        const slow = statements.some((statement) => statement.slow === true)
        return runTogether(connection, statements, slow ? SLOW_ANSWER_MS : this.#answerMs)
      }),
    )

  /** @throws TimeoutError past the limit, ConnectionLost when it is unknown whether it was committed, and what the plan throws. */
  transaction<T>(plan: TransactionPlan<TransactionSql, T>): Promise<T> {
    return this.#lanes.use((connection) =>
      runPlan(connection, plan, {
        answerMs: this.#answerMs,
        clock: this.#clock,
        explained: (work) => this.#explained(work),
      }),
    )
  }

  /** See {@link within}. */
  within(tx: unknown): Execute | undefined {
    const execute = within(tx)
    return execute && ((statements) => this.#explained(() => execute(statements)))
  }

  /** See {@link classify}. */
  classify(error: unknown): Failure {
    return classify(error)
  }

  /** Closes every connection of this driver; an application's client stays open. */
  async close(): Promise<void> {
    await this.wake.close()
    await Promise.all([this.#pool.close(), this.#lanes.close()])
  }

  #run(connection: Connection, statement: Statement): Promise<Row[]> {
    return connection.run(statement, statement.slow === true ? SLOW_ANSWER_MS : this.#answerMs)
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await diagnose(error, this.#schema, (statement) => this.#pool.use((c) => this.#run(c, statement)))
      throw error
    }
  }
}
