import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run, whenInterrupted } from './processes.mjs'

const textOf = (path) => readFile(join(root, path), 'utf8').catch(() => undefined)

/** pnpm writes its copy of the lockfile last, so a copy that is equal means an install that was finished. */
async function upToDate() {
  const [wanted, installed] = await Promise.all([
    textOf('pnpm-lock.yaml'),
    textOf('node_modules/.pnpm/lock.yaml'),
  ])
  return wanted !== undefined && wanted === installed
}

export async function installIfNeeded() {
  if (await upToDate()) return true
  const { packageManager } = JSON.parse(await textOf('package.json'))
  console.log(
    `Installing with ${packageManager} (a first time takes about two minutes: better-sqlite3 is compiled)`,
  )
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const stillThere = setInterval(() => console.log(`… still installing, ${seconds()} s`), 30_000)
  const args = ['--yes', packageManager, '--dir', root, 'install', '--frozen-lockfile']
  // From elsewhere: here npx would choose the checkout's own pnpm, also the half of one that an interruption left.
  const { code, output } = await run('npx', args, { quiet: true, cwd: tmpdir(), env: { CI: 'true' } })
  clearInterval(stillThere)
  if (code === 0) console.log(`Installed in ${seconds()} s`)
  else if (whenInterrupted() === undefined)
    console.error(`${output}\nThe install failed (npx ${args.join(' ')}).`)
  return code === 0
}
