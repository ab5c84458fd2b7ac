import type { ChaosDatabase } from '../databases/database.js'
import type { Fault, Field } from './fault.js'

/** Makes a setting the one of every new session, and sees to it that all sessions are new. */
async function forEverybody(database: ChaosDatabase, setting: string): Promise<void> {
  await database.query(`alter role current_user ${setting}`)
  database.proxy?.cutAll()
}

/** Keeps rows of messages locked, again and again, so that others have to wait for them. */
async function holdRows({ database, pause }: Field, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await database.query(`do $$ begin
      perform 1 from pgqrs_messages where finished_at is null for update skip locked;
      perform pg_sleep(0.4);
    end $$`)
    await pause(100)
  }
}

function timeouts(name: string, parameter: string, ms: number): Fault {
  return {
    name,
    stores: ['postgres'],
    strikes: 'database',
    lastsMs: 5000,
    async strike(field, dice) {
      try {
        await forEverybody(field.database, `set ${parameter} = '${ms}ms'`)
        await holdRows(field, dice.whole(3, 6))
      } finally {
        await forEverybody(field.database, `reset ${parameter}`)
      }
    },
  }
}

/** Waiting for a lock is given up after 100 ms, and rows are locked for 400 ms. */
export const lockTimeout = timeouts('lock-timeout', 'lock_timeout', 100)
/** Every statement is cancelled after 150 ms, and rows are locked for 400 ms. */
export const statementTimeout = timeouts('statement-timeout', 'statement_timeout', 150)
/** Sessions that rest in a transaction are ended at once. */
export const idleTimeout = timeouts('idle-timeout', 'idle_in_transaction_session_timeout', 5)

/** The server takes no writes for a while. */
export const readOnly: Fault = {
  name: 'read-only',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 10_500,
  weight: 0.5,
  async strike({ database, pause }, dice) {
    try {
      await database.query('alter system set default_transaction_read_only = on')
      await database.query('select pg_reload_conf()')
      await pause(dice.pick([3000, 10_000]))
    } finally {
      await database.query('alter system reset default_transaction_read_only')
      await database.query('select pg_reload_conf()')
    }
  },
}
