// Run in a package: writes down the public API of every published entry (etc/*.api.md), or with no --update tells
// how it differs from what is committed. A change of the API is then seen in review, and on purpose.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { apiReport } from './api-report.mjs'

const update = process.argv.includes('--update')
const manifest = JSON.parse(await readFile('package.json', 'utf8'))
const shortName = manifest.name.split('/').at(-1)

/** Each entry with types: './driver' → { types: './dist/driver.d.ts', report: 'core.driver.api.md' } */
const entries = Object.entries(manifest.publishConfig.exports)
  .filter(([, target]) => typeof target === 'object' && 'types' in target)
  .map(([path, { types }]) => ({
    types,
    report: [shortName, ...path.split('/').slice(1), 'api.md'].join('.'),
  }))

function printDiff(committed, current) {
  const { stdout } = spawnSync('git', ['diff', '--no-index', '--no-color', '--', committed, current], {
    encoding: 'utf8',
  })
  console.error(stdout.split('\n').slice(4).join('\n'))
}

async function check({ types, report }, folder) {
  const text = await apiReport(types, folder)
  const path = join('etc', report)
  const committed = await readFile(path, 'utf8').catch(() => '')
  if (committed === text) return true
  if (update) {
    await mkdir('etc', { recursive: true })
    await writeFile(path, text)
    console.log(`${path} ${committed === '' ? 'written' : 'updated'}`)
    return true
  }
  const [before, after] = [join(folder, `committed-${basename(report)}`), join(folder, basename(report))]
  await Promise.all([writeFile(before, committed), writeFile(after, text)])
  console.error(
    `${manifest.name}: the API differs from ${path}. If that is meant: pnpm api:update, and a changeset.\n`,
  )
  printDiff(before, after)
  return false
}

const folder = await mkdtemp(join(tmpdir(), 'pgqrs-api-'))
try {
  const results = []
  for (const entry of entries) results.push(await check(entry, folder))
  process.exitCode = results.every(Boolean) ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
