import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mono } from './setup.js'

const fileIn = (folder: string): string => join(folder, 'began')

/** Tells all processes of a run that the load begins now, and returns that time: CLOCK_MONOTONIC in ms. */
export function begin(folder: string): number {
  const at = mono()
  writeFileSync(`${fileIn(folder)}.part`, String(at))
  renameSync(`${fileIn(folder)}.part`, fileIn(folder))
  return at
}

/** Waits until the load begins, and returns when that was. */
export async function beginning(folder: string): Promise<number> {
  while (!existsSync(fileIn(folder))) await sleep(20)
  return Number(readFileSync(fileIn(folder), 'utf8'))
}

// Who was frozen for longer has other things to do than what was planned meanwhile.
const LATEST_MS = 1000

/**
 * Whether a process of a client that was born at `bornAt` makes a call that was planned for `plannedAt`. What was planned
 * before its birth an earlier process may have made, a moment before it was killed; made twice, a transaction of the
 * user's takes effect twice.
 */
export function isForLife(plannedAt: number, bornAt: number, now: number): boolean {
  return plannedAt >= bornAt && plannedAt >= now - LATEST_MS
}
