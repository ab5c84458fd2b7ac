import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lintConfig } from '../lint/config.mjs'
import { general } from './lint-samples/general.mjs'
import { layers, packages } from './lint-samples/imports.mjs'
import { tests } from './lint-samples/tests.mjs'
import { time } from './lint-samples/time.mjs'

const samples = [...layers, ...packages, ...time, ...tests, ...general]

const checkout = fileURLToPath(new URL('../../..', import.meta.url))
const tree = realpathSync(mkdtempSync(join(tmpdir(), 'pgqrs-lint-')))
const reported = new Map()

function write(path, text) {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), text)
}

/** A small copy of the repository's shape: import rules resolve files, so the imported ones must exist. */
beforeAll(async () => {
  write(
    'tsconfig.json',
    JSON.stringify({ extends: join(checkout, 'tooling/tsconfig/base.json'), include: ['**/*.ts'] }),
  )
  write('package.json', JSON.stringify({ type: 'module' }))
  symlinkSync(join(checkout, 'node_modules'), join(tree, 'node_modules'))
  const core = ['errors', 'index', 'driver', 'connect', 'store', 'codec/encode'].map((name) => `${name}.ts`)
  const layers = ['db', 'queries', 'queue', 'worker', 'admin', 'workflow', 'transaction'].map(
    (name) => `${name}/a.ts`,
  )
  for (const path of [...core, ...layers]) write(`packages/core/src/${path}`, 'export const a = 1\n')
  for (const { path, code } of samples) write(path, `${code}\n`)
  const eslint = new ESLint({ cwd: tree, overrideConfigFile: true, overrideConfig: lintConfig(tree) })
  for (const { filePath, messages } of await eslint.lintFiles(samples.map(({ path }) => path))) {
    reported.set(filePath, messages)
  }
}, 120_000)

afterAll(() => rmSync(tree, { recursive: true, force: true }))

describe('lint rules', () => {
  for (const { title, path, rule, reports, says } of samples) {
    it(title, () => {
      const messages = reported.get(join(tree, path)) ?? []
      expect(messages.filter(({ fatal }) => fatal)).toEqual([])
      const found = messages.filter(({ ruleId }) => ruleId === rule)
      expect(found).toHaveLength(reports)
      for (const { message } of found) expect(message).toContain(says)
    })
  }
})
