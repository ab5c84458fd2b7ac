import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Ended } from './command-line.js'

const root = join(import.meta.dirname, '../../..')
const bin = join(root, 'node_modules/.bin')

/** Packages of ours as npm would get them. */
export interface Tarballs {
  /** Path of the tarball of a package, such as `core`. */
  of(name: string): string
  remove(): Promise<void>
}

/** Builds and packs these packages. Packing is what applies publishConfig and the workspace's versions. */
export async function pack(names: readonly string[]): Promise<Tarballs> {
  const filters = names.map((name) => `--filter=@pgqrs/${name}`)
  await mustRun(
    join(bin, 'turbo'),
    ['run', 'build', ...filters, '--output-logs=errors-only', '--ui=stream'],
    root,
  )
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-tarballs-'))
  const of = (name: string): string => join(folder, `${name}.tgz`)
  for (const name of names)
    await mustRun(join(bin, 'pnpm'), ['pack', '--out', of(name)], join(root, 'packages', name))
  return { of, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Runs a command in a folder to its end, as a person would who has heard nothing of this workspace. */
export function inFolder(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: folder, env: { ...personal(), ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else reject(error ?? new Error(`${command} was ended by a signal`))
    })
  })
}

/** The same for a command that has to succeed. */
export async function mustRun(command: string, args: readonly string[], folder: string): Promise<string> {
  const path = [bin, process.env['PATH']].join(delimiter)
  const { code, stdout, stderr } = await inFolder(folder, command, args, {
    PATH: path,
    TURBO_TELEMETRY_DISABLED: '1',
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

// What `npm test` and the shims of pnpm put into the environment says where things are here, not there.
function personal(): NodeJS.ProcessEnv {
  const places = /^npm_config_(registry|cache|userconfig|globalconfig|nodedir|cafile|.*proxy)$/i
  const ours = (name: string): boolean =>
    /^(npm_|pnpm_|PGQRS_|VITEST|TURBO_)|^(NODE_PATH|NODE_OPTIONS|NODE_ENV|INIT_CWD|DATABASE_URL)$/i.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => places.test(name) || !ours(name)))
}
