import { describe, expect, it } from 'vitest'
import { refusalsOf, type Circumstances } from '../src/guards.js'

const quiet: Circumstances = {
  nodeOptions: '',
  execArgv: ['--import', 'tsx'],
  inspectorUrl: undefined,
  isDebugBuild: false,
  coverageFolder: undefined,
  builds: [{ name: '@pgqrs/core', sourceMs: 1000, builtMs: 1000 }],
}

describe('the bench refuses to measure what nobody runs', () => {
  it('but not under ordinary circumstances', () => {
    expect(refusalsOf(quiet)).toEqual([])
    expect(refusalsOf({ ...quiet, nodeOptions: '--max-old-space-size=4096 --no-warnings' })).toEqual([])
  })

  it.each<[string, Partial<Circumstances>, string]>([
    ['a debugger', { inspectorUrl: 'ws://127.0.0.1:9229/x' }, 'inspector'],
    ['a debug build', { isDebugBuild: true }, 'debug build'],
    ['coverage', { coverageFolder: 'coverage' }, 'NODE_V8_COVERAGE'],
    ['flags of V8', { nodeOptions: '--no-warnings --no-opt' }, '--no-opt'],
    ['flags with underscores', { nodeOptions: '--max_lazy' }, '--max-lazy'],
    ['profiling', { execArgv: ['--cpu-prof'] }, '--cpu-prof'],
    ['no build', { builds: [{ name: '@pgqrs/core', sourceMs: 1, builtMs: undefined }] }, 'not built'],
    [
      'an old build',
      { builds: [{ name: '@pgqrs/core', sourceMs: 2, builtMs: 1 }] },
      'older than its sources',
    ],
  ])('for %s', (_, circumstance, reason) => {
    const refusals = refusalsOf({ ...quiet, ...circumstance })
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toContain(reason)
  })

  it('with every reason there is', () => {
    expect(refusalsOf({ ...quiet, isDebugBuild: true, nodeOptions: '--jitless --inspect' })).toHaveLength(3)
  })
})
