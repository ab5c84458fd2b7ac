import js from '@eslint/js'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'
import { packageImports } from './imports.mjs'
import { coreLayers } from './layers.mjs'
import { names } from './names.mjs'
import { testSyntax } from './tests.mjs'
import { timeRules, timeSyntax } from './time.mjs'

const typescript = ['**/*.ts']
/** Without types: no tsconfig includes them. */
const plain = ['**/*.{js,mjs,cjs}', 'tooling/gate/vitest.config.ts']
const tests = ['**/test/**', '**/*.test.ts', '**/*.test-d.ts']
const nodeGlobals = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'URL',
  'clearInterval',
  'clearTimeout',
  'console',
].concat(['fetch', 'performance', 'process', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout'])

const typeAware = {
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
  '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
  '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  // An async method without await is how a synchronous driver turns a throw into a rejection.
  '@typescript-eslint/require-await': 'off',
  // defineQueue<Payload>('name') is our API: a type argument in place of a schema.
  '@typescript-eslint/no-unnecessary-type-parameters': 'off',
  // The default transaction of a store depends on which drivers a program imports.
  '@typescript-eslint/no-unnecessary-type-arguments': 'off',
}

/** The rules for the repository at this folder. */
export function lintConfig(root) {
  return [
    { ignores: ['**/dist/**', '**/coverage/**', '**/.turbo/**', '**/.tmp/**', '**/temp/**'] },
    { linterOptions: { reportUnusedDisableDirectives: 'error' } },
    js.configs.recommended,
    {
      plugins: { 'import-x': importX, pgqrs: names },
      settings: {
        ...importX.flatConfigs.typescript.settings,
        'import-x/resolver-next': [
          createTypeScriptImportResolver({
            conditionNames: ['@pgqrs/source', 'types', 'import', 'node', 'default'],
          }),
        ],
      },
      rules: {
        'import-x/no-cycle': ['error', { ignoreExternal: true }],
        'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: false }],
        'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
        'no-restricted-syntax': ['error', ...testSyntax],
        'pgqrs/file-names': 'error',
      },
    },
    ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: config.files ?? typescript })),
    {
      files: typescript,
      languageOptions: {
        parserOptions: {
          projectService: true,
          tsconfigRootDir: root,
        },
      },
      rules: typeAware,
    },
    {
      files: plain,
      ...tseslint.configs.disableTypeChecked,
      languageOptions: {
        ...tseslint.configs.disableTypeChecked.languageOptions,
        globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])),
      },
    },
    {
      files: ['packages/core/src/**/*.ts'],
      ignores: ['**/*.test.ts'],
      rules: { 'import-x/no-restricted-paths': ['error', coreLayers(root)] },
    },
    { files: ['packages/{core,postgres,sqlite,turso}/src/**/*.ts'], rules: { 'no-console': 'error' } },
    ...packageImports({ everywhere: testSyntax, core: timeSyntax }),
    timeRules,
    {
      files: [...tests, 'tooling/conformance/**'],
      rules: {
        'max-lines-per-function': 'off',
        // expect.any() is typed any, and a test that indexes an array asserts by doing so.
        '@typescript-eslint/no-unsafe-assignment': 'off',
        '@typescript-eslint/no-non-null-assertion': 'off',
        '@typescript-eslint/unbound-method': 'off',
      },
    },
    // The default is what the drivers in a program make of it: alone it is this driver's transaction, else a union.
    {
      files: ['packages/{postgres,sqlite,turso}/src/connect.ts'],
      rules: { '@typescript-eslint/no-unnecessary-type-arguments': 'off' },
    },
    // A unit test beside its source may do what the source may not.
    {
      files: ['packages/*/src/**/*.test.ts'],
      rules: { 'no-restricted-imports': 'off', 'no-restricted-syntax': ['error', ...testSyntax] },
    },
  ]
}
