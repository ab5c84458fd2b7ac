import BetterSqlite3 from 'better-sqlite3'
import {
  openStore,
  resolveConfig,
  type Config,
  type Driver,
  type Row,
  type Statement,
} from '@pgqrs/core/driver'
import type { Clock, Random } from '@pgqrs/core/driver'
import type { Store } from '@pgqrs/core'
import { connect, type Database } from '@pgqrs/sqlite'
import { checkpointCells, messageCells, type Recorder } from './recorder.js'

const cellsOf = (row: 'old' | 'new', cells: readonly string[]): string =>
  cells.map((cell) => `${row}.${cell}`).join(', ')
const nothing = (cells: readonly string[]): string => cells.map(() => 'null').join(', ')

function triggers(table: string, call: (row: 'old' | 'new') => string, cells: readonly string[]): string[] {
  const make = (when: string, row: 'old' | 'new', before: string, after: string): string =>
    `create temp trigger seen_${table}_${when} after ${when} on ${table} begin
      select ${call(row)}, ${before}, ${after}); end`
  return [
    make('insert', 'new', nothing(cells), cellsOf('new', cells)),
    make('update', 'new', cellsOf('old', cells), cellsOf('new', cells)),
    make('delete', 'old', cellsOf('old', cells), nothing(cells)),
  ]
}

const holder = (row: string, column: string): string =>
  `(select m.${column} from pgqrs_messages m where m.id = ${row}.run_id)`

const swept = ['pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies', 'witnesses']

/**
 * The one database of the simulator: in memory, installed once, swept between schedules. Triggers tell the recorder
 * of each change of a row.
 */
export class Arena {
  private recorder: Recorder | undefined
  private readonly prepared = new Map<string, BetterSqlite3.Statement<unknown[]>>()
  private readonly configs = new Map<string, Config>()

  private constructor(
    readonly db: BetterSqlite3.Database,
    /** pgqrs's own driver over the database. */
    private readonly driver: Driver<Database>,
  ) {
    db.function('seen_message', { varargs: true }, (id, ...cells) => {
      this.recorder?.messageChanged(id as string, cells)
      return null
    })
    db.function('seen_checkpoint', { varargs: true }, (run, step, lease, status, ...cells) => {
      this.recorder?.checkpointChanged(run as string, step as string, [lease, status], cells)
      return null
    })
  }

  static async open(): Promise<Arena> {
    const db = new BetterSqlite3(':memory:')
    const drivers: Driver[] = []
    // It is never closed: its driver goes on to serve all others.
    const store = await connect({
      client: db,
      wrapDriver: (driver) => {
        drivers.push(driver)
        return driver
      },
    })
    await store.admin.install()
    db.exec('create table witnesses (run text, step text, witness text, value text)')
    const [driver] = drivers as Driver<Database>[]
    if (driver === undefined) throw new Error('the store has no driver')
    const arena = new Arena(db, driver)
    for (const trigger of [
      ...triggers('pgqrs_messages', (row) => `seen_message(${row}.id`, messageCells),
      ...triggers(
        'pgqrs_steps',
        (row) =>
          `seen_checkpoint(${row}.run_id, ${row}.name, ${holder(row, 'lease_id')}, ${holder(row, 'status')}`,
        checkpointCells,
      ),
    ]) {
      db.exec(trigger)
    }
    return arena
  }

  /** A statement of the simulator's own, prepared once. */
  prepare(sql: string): BetterSqlite3.Statement<unknown[]> {
    let statement = this.prepared.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare<unknown[]>(sql)
      this.prepared.set(sql, statement)
    }
    return statement
  }

  /** A store of a process, as `connect` makes it. */
  connect(
    settings: { readonly lease: number; readonly connectionTimeout: number },
    options: {
      readonly clock: Clock
      readonly random: Random
      readonly wrapDriver: (driver: Driver<Database>) => Driver<Database>
    },
  ): Promise<Store<Database>> {
    const { clock, random, wrapDriver } = options
    return openStore(wrapDriver(this.driver), this.configOf(settings), { clock, random })
  }

  private configOf(settings: { readonly lease: number; readonly connectionTimeout: number }): Config {
    const name = `${settings.lease} ${settings.connectionTimeout}`
    let config = this.configs.get(name)
    if (config === undefined) {
      config = resolveConfig({ ...settings, dsn: ':memory:' }, { env: {} }).config
      this.configs.set(name, config)
    }
    return config
  }

  /** Executes statements, all or none, here and now. */
  execute(statements: readonly Statement[]): Row[][] {
    const [only] = statements
    // A single statement is its own transaction.
    if (statements.length === 1 && only !== undefined) return [this.rowsOf(only)]
    if (statements.every((statement) => statement.reads)) return statements.map((one) => this.rowsOf(one))
    this.prepare('begin immediate').run()
    try {
      const rows = statements.map((statement) => this.rowsOf(statement))
      this.prepare('commit').run()
      return rows
    } catch (error) {
      if (this.db.inTransaction) this.prepare('rollback').run()
      throw error
    }
  }

  private rowsOf({ sql, parameters }: Statement): Row[] {
    const statement = this.prepare(sql)
    if (statement.reader) return statement.all(...parameters) as Row[]
    statement.run(...parameters)
    return []
  }

  /** An empty database; from here on this recorder is told. */
  sweep(recorder: Recorder): void {
    this.recorder = undefined
    const { db } = this
    if (db.inTransaction) db.exec('rollback')
    this.prepare('begin').run()
    for (const table of swept) this.prepare(`delete from ${table}`).run()
    this.prepare('commit').run()
    this.recorder = recorder
  }

  /** What SQLite's own check of the database finds. */
  problems(): string[] {
    const found = this.db.pragma('quick_check', { simple: true })
    return found === 'ok' ? [] : [String(found)]
  }

  close(): void {
    this.db.close()
  }
}
