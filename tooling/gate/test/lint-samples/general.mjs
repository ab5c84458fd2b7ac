import { bad, good } from './sample.mjs'
import { test } from './tests.mjs'

const anywhere = 'packages/sqlite/src/*.ts'
const lines = (count, line) => Array.from({ length: count }, () => line).join('\n')
export const general = [
  bad(
    'any',
    anywhere,
    '@typescript-eslint/no-explicit-any',
    'any',
    'export const a = (b: any): unknown => b',
  ),
  bad(
    'a floating promise',
    anywhere,
    '@typescript-eslint/no-floating-promises',
    'Promise',
    'Promise.resolve(1)',
  ),
  bad(
    'a misused promise',
    anywhere,
    '@typescript-eslint/no-misused-promises',
    'Promise',
    'export const a = [1].forEach(async () => { await Promise.resolve() })',
  ),
  bad(
    'a switch that forgets a case',
    anywhere,
    '@typescript-eslint/switch-exhaustiveness-check',
    'exhaustive',
    "export function f(a: 'x' | 'y') {\n  switch (a) {\n    case 'x':\n      return 1\n  }\n  return 2\n}",
  ),
  bad(
    'a needless condition',
    anywhere,
    '@typescript-eslint/no-unnecessary-condition',
    'always',
    'export const f = (a: { b: number }) => (a ? 1 : 2)',
  ),
  bad(
    'a type imported as a value',
    anywhere,
    '@typescript-eslint/consistent-type-imports',
    'type',
    "import { ESLint } from 'eslint'\nexport const f = (a: ESLint) => a",
  ),
  bad(
    'an object in a template',
    anywhere,
    '@typescript-eslint/restrict-template-expressions',
    'template',
    'export const f = (a: { b: number }) => `${a}`',
  ),
  good(
    'a number and a boolean in a template',
    anywhere,
    '@typescript-eslint/restrict-template-expressions',
    'export const f = (a: number, b: boolean) => `${a} ${b}`',
  ),
  bad('a print in a library', anywhere, 'no-console', 'console', "console.log('a')"),
  good('a print in the command', 'packages/cli/src/*.ts', 'no-console', "console.log('a')"),
  bad('a long file', anywhere, 'max-lines', '400', lines(401, '// a')),
  good('400 lines', anywhere, 'max-lines', lines(400, '// a\n')),
  bad(
    'a long function',
    anywhere,
    'max-lines-per-function',
    '80',
    `export function f() {\n${lines(80, 'f()')}\n}`,
  ),
  good('a long describe', test, 'max-lines-per-function', `export function f() {\n${lines(80, 'f()')}\n}`),
  bad(
    'a cycle',
    'packages/sqlite/src/cycle-a.ts',
    'import-x/no-cycle',
    'cycle',
    "import { b } from './cycle-b.js'\nexport const a = b",
  ),
  bad(
    'its other half',
    'packages/sqlite/src/cycle-b.ts',
    'import-x/no-cycle',
    'cycle',
    "import { a } from './cycle-a.js'\nexport const b = a",
  ),
  bad('utils.ts', 'packages/sqlite/src/utils.ts', 'pgqrs/file-names', 'idea', 'export const a = 1'),
  bad('sql-helpers.ts', 'packages/cli/src/sql-helpers.ts', 'pgqrs/file-names', 'idea', 'export const a = 1'),
  bad('a folder common', 'tooling/demo/src/common/a.ts', 'pgqrs/file-names', 'idea', 'export const a = 1'),
  good('community.ts', 'packages/cli/src/community.ts', 'pgqrs/file-names', 'export const a = 1'),
]
