import { join } from 'node:path'
import { defaultClientConditions, defaultServerConditions } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const source = '@pgqrs/source'
const root = join(import.meta.dirname, '../..')

function project(name: string, folder: string, postgres?: 'postgres'): TestProjectInlineConfiguration {
  const tests = `${folder}/test/**/*.test.{ts,mjs}`
  return {
    extends: true,
    root,
    test: {
      name,
      include: [tests, `${folder}/src/**/*.test.ts`],
      // Other type errors are the business of the gate's step `types`.
      typecheck: {
        enabled: folder.startsWith('packages/'),
        include: [`${folder}/test/**/*.test-d.ts`],
        tsconfig: join(root, folder, 'tsconfig.json'),
        ignoreSourceErrors: true,
      },
      // The file counts its users, so that the projects of a run share one server.
      globalSetup: postgres ? [join(root, 'tooling/test-database/src/vitest-global.ts')] : [],
    },
  }
}

export default defineConfig({
  root,
  // Tests read the sources of our packages: they need no build and cannot run against a stale one.
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions], externalConditions: [source] } },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    allowOnly: false,
    projects: [
      project('core', 'packages/core'),
      project('postgres', 'packages/postgres', 'postgres'),
      project('sqlite', 'packages/sqlite'),
      project('turso', 'packages/turso'),
      project('cli', 'packages/cli', 'postgres'),
      project('conformance', 'tooling/conformance'),
      project('test-database', 'tooling/test-database'),
      project('gate', 'tooling/gate'),
      project('demo', 'tooling/demo', 'postgres'),
      project('bench', 'tooling/bench'),
      project('checker', 'tooling/checker'),
      project('chaos', 'tooling/chaos', 'postgres'),
      project('simulator', 'tooling/simulator'),
      project('docs', 'docs', 'postgres'),
    ],
  },
})
