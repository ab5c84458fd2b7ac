import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, run } from '../processes.mjs'
import { readTestReport } from '../test-report.mjs'

const folder = mkdtempSync(join(tmpdir(), 'pgqrs-report-'))

/** What the gate counts for a run of one small test file. */
async function countsOf(name, code) {
  const project = join(folder, name)
  mkdirSync(project)
  writeFileSync(join(project, 'a.test.mjs'), `import { afterAll, describe, it } from 'vitest'\n${code}\n`)
  const report = join(project, 'report.json')
  const reporter = join(root, 'tooling/gate/test-reporter.mjs')
  const options = { quiet: true, cwd: project, env: { PGQRS_TEST_REPORT: report } }
  const vitest = join(root, 'node_modules/.bin/vitest')
  const { code: exitCode } = await run(vitest, ['run', '--root', project, `--reporter=${reporter}`], options)
  return readTestReport(report, exitCode)
}

beforeAll(() => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const throws = "() => { throw new Error('no') }"

describe('the counts of the last line', () => {
  it.each([
    ['passing', "it('a', () => undefined)\nit('b', () => undefined)", 2, 0],
    ['a failing test', `it('a', () => undefined)\nit('b', ${throws})`, 1, 1],
    ['a file that does not load', "import './missing.mjs'\nit('a', () => undefined)", 0, 1],
    ['a failing hook', `afterAll(${throws})\nit('a', () => undefined)`, 1, 1],
    ['an unseen rejection', "it('a', () => { void Promise.reject(new Error('no')) })", 1, 1],
    ['a file without tests', '', 0, 1],
  ])('count %s', async (name, code, passed, failed) => {
    expect(await countsOf(name.replaceAll(' ', '-'), code)).toEqual({ passed, failed, skipped: [] })
  })

  it('name each skip and its reason', async () => {
    const code =
      "it('a', () => undefined)\ndescribe('d', () => it('b', ({ skip }) => skip(true, 'no LISTEN here')))"
    const { passed, failed, skipped } = await countsOf('skipping', code)
    expect({ passed, failed }).toEqual({ passed: 1, failed: 0 })
    expect(skipped).toMatchObject([{ file: 'a.test.mjs', name: 'd > b', reason: 'no LISTEN here' }])
  })

  it('never count a run that died as free of failures', async () => {
    expect(await readTestReport(join(folder, 'none.json'), 1)).toEqual({ passed: 0, failed: 1, skipped: [] })
  })
})
