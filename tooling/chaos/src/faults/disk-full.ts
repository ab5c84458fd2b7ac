import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from './fault.js'

/** Writes until nothing more fits. */
function fill(file: string): void {
  const fd = openSync(file, 'w')
  try {
    for (const size of [1 << 20, 1 << 12, 1]) {
      const block = Buffer.alloc(size)
      try {
        for (;;) writeSync(fd, block)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(fd)
  }
}

/** No byte fits on the file system of the database any more. */
export const diskFull: Fault = {
  name: 'disk-full',
  stores: ['sqlite', 'turso'],
  strikes: 'database',
  lastsMs: 4000,
  missing: ({ smallDisk }) =>
    smallDisk === undefined ? 'no small file system can be mounted here (that takes root)' : undefined,
  async strike({ database: { smallDisk }, pause }, dice) {
    const file = join(smallDisk ?? '', 'filler')
    fill(file)
    try {
      await pause(dice.whole(500, 3000))
    } finally {
      rmSync(file)
    }
  },
}
