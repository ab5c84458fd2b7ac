import { stripVTControlCharacters } from 'node:util'
import { fromSources, program } from './programs.mjs'

/** One run per store, with every fault that a minute has a turn for. */
const chaosRuns = [
  { store: 'sqlite', seed: 7 },
  { store: 'turso', seed: 7 },
  { store: 'postgres', seed: 7 },
]
const chaosSeconds = 60
const schedules = 20_000

const lastLine = /^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$/
const invariantsLine = /^invariants: (\d+) held, (\d+) failed, (\d+) not applicable$/

/**
 * What a run of chaos or of the simulator says at its end: the invariants that held, those that failed, and what was
 * left out. A run that died, or held nothing, never counts as free of failures.
 */
export function readProof(output, exitCode) {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n')
  const [, , failures = '1'] = lastLine.exec(lines.at(-1)) ?? []
  const [, held = '0', broken = '0'] = lines.map((line) => invariantsLine.exec(line)).findLast(Boolean) ?? []
  const leftOut = lines.filter((line) => line.startsWith('left out: '))
  const passed = Number(held)
  const certain = exitCode === 0 && passed > 0 ? 0 : 1
  return {
    passed,
    failed: Math.max(Number(failures), Number(broken), certain),
    skipped: [...new Set(leftOut)].map((line) => line.replace('left out: ', '')),
  }
}

async function prove(folder, args) {
  const { code, output } = await program(folder, args, fromSources, { kept: true })
  return readProof(output, code)
}

/** The step `chaos`: real processes, real databases, injected faults, and a checker over what happened. */
export async function runChaos() {
  const sum = { passed: 0, failed: 0, skipped: [], says: '' }
  const said = []
  for (const { store, seed } of chaosRuns) {
    console.log(`\nchaos on ${store}, seed ${seed}`)
    const args = ['--store', store, '--seconds', String(chaosSeconds), '--seed', String(seed)]
    const { passed, failed, skipped } = await prove('chaos', args)
    sum.passed += passed
    sum.failed += failed
    sum.skipped.push(...skipped.map((what) => `${store}: ${what}`))
    said.push(`${store} ${passed}`)
  }
  return { ...sum, says: `invariants held: ${said.join(', ')}` }
}

/** The step `simulation`: the engine on virtual time, in every order of events that the seed draws. */
export async function runSimulation() {
  const counts = await prove('simulator', ['--schedules', String(schedules), '--seed', '1'])
  return { ...counts, says: `invariants held: ${counts.passed} in ${schedules} schedules` }
}
