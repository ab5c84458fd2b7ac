import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os'
import { promisify } from 'node:util'

/** The machine the figures come from. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  /** What the databases' files are on. */
  readonly fileSystem: string
  readonly node: string
  /** The commit that is checked out, with a `+` when the checkout differs from it. */
  readonly commit: string
}

/** Describes this machine. */
export async function thisMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${await distribution()} (${type()} ${release()})`,
    fileSystem: await fileSystemOf(tmpdir()),
    node: process.version,
    commit: await commit(),
  }
}

async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform
}

async function fileSystemOf(folder: string): Promise<string> {
  const found = await output('df', ['-T', folder])
  return found.split('\n')[1]?.split(/\s+/)[1] ?? 'unknown'
}

async function commit(): Promise<string> {
  const id = (await output('git', ['rev-parse', '--short', 'HEAD'])).trim()
  const changes = await output('git', ['status', '--porcelain', '--', 'packages'])
  return id === '' ? 'unknown' : id + (changes === '' ? '' : '+')
}

async function output(command: string, args: readonly string[]): Promise<string> {
  return promisify(execFile)(command, [...args], { cwd: import.meta.dirname }).then(
    ({ stdout }) => stdout,
    () => '',
  )
}
