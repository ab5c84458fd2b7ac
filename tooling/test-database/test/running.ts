import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import postgres from 'postgres'

/** Whether a process runs; a zombie that nobody has collected does not. */
export function isRunning(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return state !== '' && !state.startsWith('Z')
  } catch {
    return false
  }
}

/** The pids of the processes whose command line contains a text. */
export function pidsOf(commandLinePart: string): number[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'args='], { encoding: 'utf8' }).split(
    '\n',
  )
  return lines.filter((line) => line.includes(commandLinePart)).map((line) => Number.parseInt(line, 10))
}

/** What an embedded server consists of. */
export interface Traces {
  postmaster: number
  directory: string
}

/** Where an embedded server runs, by its own account. */
export async function tracesOf(dsn: string): Promise<Traces> {
  const sql = postgres(dsn, { max: 1 })
  const [row] = await sql<{ data: string }[]>`select current_setting('data_directory') as data`
  await sql.end()
  const data = row?.data ?? ''
  const postmaster = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
  return { postmaster, directory: dirname(data) }
}
