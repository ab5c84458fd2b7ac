import BetterSqlite3 from 'better-sqlite3'
import { connect } from '@pgqrs/sqlite'
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

  private constructor(readonly db: BetterSqlite3.Database) {
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
    const store = await connect({ client: db })
    await store.admin.install()
    await store.close()
    db.exec('create table witnesses (run text, step text, witness text, value text)')
    const arena = new Arena(db)
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

  close(): void {
    this.db.close()
  }
}
