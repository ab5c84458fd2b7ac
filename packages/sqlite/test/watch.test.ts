import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '@pgqrs/core/driver'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished, vi } from 'vitest'
import { watch } from '../src/watch.js'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'pgqrs-watch-'))
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true })
  })
  return made
}

function opened(file: string, mode: 'wal' | 'delete' = 'wal'): Database.Database {
  const db = new Database(file)
  db.pragma(`journal_mode = ${mode}`)
  db.exec('create table if not exists t (n integer)')
  onTestFinished(() => {
    db.close()
  })
  return db
}

/** A clock on which a wait as long as that between two looks never ends; it notes how long was waited. */
function withoutPolls(waits: number[]): Clock {
  return {
    databaseNow: () => null,
    wallNow: () => systemClock.wallNow(),
    monotonic: () => systemClock.monotonic(),
    settle: () => systemClock.settle(),
    after: (ms, callback, options) => {
      waits.push(ms)
      return ms >= 100 ? () => undefined : systemClock.after(ms, callback, options)
    },
  }
}

async function listening(db: Database.Database, clock: Clock): Promise<{ heard: () => number }> {
  let heard = 0
  const stop = await watch(db, clock).listen(
    () => heard++,
    () => undefined,
  )
  onTestFinished(stop)
  return { heard: () => heard }
}

it('hears of a commit of another connection from the log, without waiting for the next look', async () => {
  const file = join(folder(), 'a.db')
  const mine = opened(file)
  const other = opened(file)
  const waits: number[] = []
  const { heard } = await listening(mine, withoutPolls(waits))
  expect(waits).toEqual([250])
  for (let n = 1; n <= 3; n++) {
    other.exec('insert into t values (1)')
    await vi.waitFor(() => expect(heard()).toBe(n))
  }
})

it('takes its own commits for no news, and comes to rest after them', async () => {
  const mine = opened(join(folder(), 'a.db'))
  const waits: number[] = []
  const { heard } = await listening(mine, withoutPolls(waits))
  mine.exec('insert into t values (1)')
  await vi.waitFor(() => expect(waits.length).toBeGreaterThan(1))
  await vi.waitFor(() => expect(waits.at(-1)).toBe(250))
  expect(heard()).toBe(0)
})

it('looks every 20 ms where there is no log to follow', async () => {
  const file = join(folder(), 'a.db')
  const mine = opened(file, 'delete')
  const waits: number[] = []
  const { heard } = await listening(mine, withoutPolls(waits))
  expect(waits).toEqual([20])
  opened(file, 'delete').exec('insert into t values (1)')
  await vi.waitFor(() => expect(heard()).toBe(1))
})
