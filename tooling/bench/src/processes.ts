import { readdir, readFile } from 'node:fs/promises'

// `getconf CLK_TCK`, the same on every Linux of today.
const ticksPerSecond = 100

/** The fields behind the name in /proc/<pid>/stat: `state` is the first, `ppid` the second. */
async function statOf(pid: number | string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** The parent of a process, or 0 where there is no /proc. */
export async function parentOf(pid: number): Promise<number> {
  return Number((await statOf(pid))[1] ?? 0)
}

/** CPU time of a process, its children, and those that have ended, in ms; undefined where there is no /proc. */
export async function cpuOfTree(pid: number): Promise<number | undefined> {
  const own = await statOf(pid)
  if (own.length < 15) return undefined
  let ticks = sum(own.slice(11, 15))
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = await statOf(entry)
    if (fields[1] === String(pid)) ticks += sum(fields.slice(11, 13))
  }
  return (ticks * 1000) / ticksPerSecond
}

/** Bytes that a process has handed to write calls; undefined where there is no /proc. */
export async function bytesWrittenBy(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '')
  const found = /^wchar: (\d+)$/m.exec(text)
  return found === null ? undefined : Number(found[1])
}

function sum(fields: readonly string[]): number {
  return fields.reduce((total, field) => total + Number(field), 0)
}
