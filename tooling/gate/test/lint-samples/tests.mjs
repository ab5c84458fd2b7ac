import { bad, good } from './sample.mjs'

const syntax = 'no-restricted-syntax'
export const test = 'packages/sqlite/test/*.test.ts'
const prelude = "import { describe, it } from 'vitest'\n"
export const tests = [
  bad('it.only', test, syntax, 'One test alone', `${prelude}it.only('a', () => undefined)`),
  bad(
    'it.only in a driver source',
    `packages/sqlite/src/*.test.ts`,
    syntax,
    'alone',
    `${prelude}it.only('a', () => undefined)`,
  ),
  bad('it.only.each', test, syntax, 'One test alone', `${prelude}it.only.each([1])('a', () => undefined)`),
  bad('describe.only', test, syntax, 'One test alone', `${prelude}describe.only('a', () => undefined)`),
  bad(
    'it.concurrent.only',
    test,
    syntax,
    'One test alone',
    `${prelude}it.concurrent.only('a', () => undefined)`,
  ),
  bad(
    '.only in plain JavaScript',
    'tooling/gate/test/*.mjs',
    syntax,
    'alone',
    `${prelude}it.only('a', () => undefined)`,
  ),
  bad('it.skip', test, syntax, 'Say why', `${prelude}it.skip('a', () => undefined)`),
  bad('it.skipIf', test, syntax, 'Say why', `${prelude}it.skipIf(true)('a', () => undefined)`),
  bad('it.todo', test, syntax, 'Say why', `${prelude}it.todo('a')`),
  bad('skip() without a reason', test, syntax, 'reason', `${prelude}it('a', ({ skip }) => { skip() })`),
  bad(
    'context.skip() without one',
    test,
    syntax,
    'reason',
    `${prelude}it('a', (context) => { context.skip() })`,
  ),
  good(
    'skip with a reason',
    test,
    syntax,
    `${prelude}it('a', ({ skip }) => { skip(true, 'no LISTEN here') })`,
  ),
  bad(
    '.only in conformance',
    'tooling/conformance/src/*.ts',
    syntax,
    'alone',
    `${prelude}it.only('a', () => undefined)`,
  ),
]
