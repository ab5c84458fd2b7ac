// Run in a package: does the package, as npm would get it, resolve and type-check for those who install it?
// The tarball is looked at, because packing is what applies publishConfig.exports and the workspace versions.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './processes.mjs'

const bin = (name) => join(root, 'node_modules/.bin', name)
const here = process.cwd()

/** What the two linters do not look at: our own promises about a tarball. */
function problemsOf(tarball, manifest) {
  const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n')
  const packed = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  const problems = manifest.files
    .filter((name) => !list.some((path) => path === `package/${name}` || path.startsWith(`package/${name}/`)))
    .map((name) => `${name} is listed in "files" and missing`)
  if (packed.includes('@pgqrs/source')) problems.push('the exports still name the sources')
  if (/"(workspace|catalog):/.test(packed)) problems.push('a workspace: or catalog: version is left')
  return problems
}

async function check(folder) {
  const packed = await run(bin('pnpm'), ['pack', '--pack-destination', folder], { cwd: here, quiet: true })
  if (packed.code !== 0) throw new Error(`pnpm pack failed:\n${packed.output}`)
  const [name] = await readdir(folder)
  const tarball = join(folder, name)
  const problems = problemsOf(tarball, JSON.parse(await readFile('package.json', 'utf8')))
  for (const problem of problems) console.error(problem)
  const publint = await lint('publint', 'run', tarball, '--strict')
  const attw = await lint('attw', tarball, '--profile', 'esm-only', '--no-color', '--format', 'ascii')
  return problems.length === 0 && publint && attw
}

/** A linter's report is of interest only when it has found something. */
async function lint(name, ...args) {
  const { code, output } = await run(bin(name), args, { cwd: here, quiet: true })
  if (code !== 0) console.error(output)
  return code === 0
}

const folder = await mkdtemp(join(tmpdir(), 'pgqrs-pack-'))
try {
  process.exitCode = (await check(folder)) ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
