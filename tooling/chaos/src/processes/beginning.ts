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
