import { spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** A file system with little room. */
export interface SmallDisk {
  readonly folder: string
  unmount(): void
}

/** Mounts a file system of so many MB, in memory, in this folder; undefined where that is not allowed. */
export function mountSmallDisk(within: string, megabytes: number): SmallDisk | undefined {
  const folder = join(within, 'disk')
  mkdirSync(folder)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'pgqrs-chaos', folder])
  if (mounted.status !== 0) {
    rmdirSync(folder)
    return undefined
  }
  const unmount = (): void => {
    process.off('exit', unmount)
    // Lazily: a process that was killed a moment ago may still hold a file.
    spawnSync('umount', ['-l', folder])
  }
  // A run that is interrupted leaves nothing either.
  process.once('exit', unmount)
  return { folder, unmount }
}
