// The gate: one command, the same on a developer's machine and in CI. `npm test -- --only lint,types` runs a part of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, run, whenInterrupted } from './processes.mjs'
import { runChaos, runSimulation } from './proofs.mjs'
import { summaryOf, withoutCounts } from './summary.mjs'
import { nameSkipped, readTestReport } from './test-report.mjs'
import { checkTree } from './tree.mjs'

const bin = join(root, 'node_modules/.bin')
const env = {
  CI: 'true',
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  // turbo looks for pnpm there; npm puts the folder on the path, a direct call does not.
  PATH: [bin, process.env.PATH].join(delimiter),
}
const cache = 'node_modules/.cache'
const tool = async (name, ...args) => (await run(join(bin, name), args, { env })).code === 0
const turbo = (task) => () =>
  tool('turbo', 'run', task, '--concurrency=2', '--continue', '--output-logs=errors-only', '--ui=stream')

async function runTests() {
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-gate-'))
  const report = join(folder, 'tests.json')
  const reporter = join(root, 'tooling/gate/test-reporter.mjs')
  try {
    const args = [
      'run',
      '--config=tooling/gate/vitest.config.ts',
      '--reporter=default',
      `--reporter=${reporter}`,
    ]
    const { code } = await run(join(bin, 'vitest'), args, {
      env: { ...env, PGQRS_TEST_REPORT: report },
    })
    const { passed, failed, skipped } = await readTestReport(report, code)
    return { passed, failed, skipped: skipped.map(nameSkipped), says: `tests passed: ${passed}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const steps = [
  { name: 'tree', run: checkTree },
  {
    name: 'format',
    run: () =>
      tool(
        'prettier',
        '--check',
        '--log-level=warn',
        '--cache',
        '--cache-strategy=content',
        `--cache-location=${cache}/prettier/gate`,
        '.',
      ),
  },
  {
    name: 'lint',
    // Without a cache: what the rules say of a file depends on the types of others.
    run: () => tool('eslint', '--config=tooling/gate/lint/eslint.config.js', '--max-warnings=0', '.'),
  },
  { name: 'types', run: turbo('types') },
  { name: 'build', run: turbo('build') },
  { name: 'tests', run: runTests },
  { name: 'exports', run: turbo('exports'), needs: 'build' },
  { name: 'api', run: turbo('api'), needs: 'build' },
  { name: 'chaos', run: runChaos },
  { name: 'simulation', run: runSimulation },
]

function selected(only) {
  if (only === undefined) return steps
  const names = only.split(',')
  const unknown = names.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) {
    console.error(
      `Unknown step ${unknown.join(', ')}; there are ${steps.map(({ name }) => name).join(', ')}.`,
    )
    return []
  }
  return steps.filter(({ name }) => names.includes(name))
}

async function runStep(step, results) {
  console.log(`\n── ${step.name} ${'─'.repeat(60 - step.name.length)}`)
  if (results.some(({ name, result }) => name === step.needs && result !== 'passed')) {
    console.log(`Not run: ${step.needs} did not pass.`)
    return { name: step.name, result: 'not run', seconds: 0, ...withoutCounts(false) }
  }
  const started = performance.now()
  const told = await step.run().catch((error) => {
    console.error(error)
    return false
  })
  const counts = typeof told === 'boolean' ? withoutCounts(told) : told
  // turbo ends a run that was interrupted as if it had succeeded.
  const result = counts.failed === 0 && whenInterrupted() === undefined ? 'passed' : 'FAILED'
  return { name: step.name, result, seconds: (performance.now() - started) / 1000, ...counts }
}

/**
 * Runs the steps, each whatever the others said, and returns the exit code. The last line counts tests and invariants.
 */
export async function gate(args) {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } } })
  const chosen = selected(values.only)
  if (chosen.length === 0) return 2
  const results = []
  for (const step of chosen) {
    if (whenInterrupted() !== undefined) break
    results.push(await runStep(step, results))
  }
  if (whenInterrupted() !== undefined) console.log('\nInterrupted.')
  console.log(`\n${summaryOf(results).join('\n')}`)
  return results.every(({ result }) => result === 'passed') ? 0 : 1
}
