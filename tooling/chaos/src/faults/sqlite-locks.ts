import { fileURLToPath } from 'node:url'
import { spawnChild } from '@pgqrs/test-database'
import type { Fault, Field } from './fault.js'

const PATIENCE_MS = 10_000

const program = fileURLToPath(new URL('../processes/lock-holder.ts', import.meta.url))

/** Another process opens the file and does this, until it is killed. */
async function another({ database, pause }: Field, sql: string, ms: number): Promise<void> {
  const child = await spawnChild(program, [database.file ?? '', sql])
  try {
    // Others may hold the lock for as long.
    const holds = await child.waitFor('holding', PATIENCE_MS).then(
      () => true,
      () => false,
    )
    if (holds) await pause(ms)
  } finally {
    child.kill()
    await child.exited
  }
}

/** Another process holds the write lock. */
export const writeLock: Fault = {
  name: 'write-lock',
  stores: ['sqlite', 'turso'],
  strikes: 'database',
  lastsMs: 11_000,
  async strike(field, dice) {
    await another(field, 'begin immediate', dice.pick([500, 2000, 10_000]))
  },
}

/** Another process reads and reads, so that the write-ahead log cannot be taken over into the file. */
export const longReader: Fault = {
  name: 'long-reader',
  stores: ['sqlite', 'turso'],
  strikes: 'database',
  lastsMs: 6000,
  async strike(field, dice) {
    await another(field, 'begin; select count(*) from pgqrs_messages', dice.whole(2000, 5000))
  },
}
