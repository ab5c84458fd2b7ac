// In core, time and chance enter only through Clock and Random: tests then decide what they are.
const clock = 'Time comes from the Clock (src/clock.ts), so that tests can set it.'
const random = 'Chance comes from Random (src/random.ts), so that tests can repeat it.'

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']

const properties = [
  { object: 'Date', property: 'now', message: clock },
  { object: 'performance', property: 'now', message: clock },
  ...['hrtime', 'uptime', 'nextTick'].map((property) => ({ object: 'process', property, message: clock })),
  { object: 'AbortSignal', property: 'timeout', message: clock },
  { object: 'Math', property: 'random', message: random },
  { object: 'crypto', property: 'randomUUID', message: random },
  { object: 'crypto', property: 'getRandomValues', message: random },
  ...timers.map((property) => ({ object: 'globalThis', property, message: clock })),
]

export const timeSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
  { selector: "CallExpression[callee.name='Date']", message: clock },
  { selector: 'ImportDeclaration[source.value=/^(node:)?(timers|perf_hooks)/]', message: clock },
  { selector: "ImportDeclaration[source.value='uuid']", message: random },
  {
    selector:
      'ImportDeclaration[source.value=/^(node:)?crypto$/] > ImportSpecifier[imported.name=/^random|^getRandomValues$/]',
    message: random,
  },
]

export const timeRules = {
  files: ['packages/core/src/**/*.ts'],
  ignores: ['packages/core/src/{clock,random}.ts', '**/*.test.ts'],
  rules: {
    'no-restricted-globals': ['error', ...timers.map((name) => ({ name, message: clock }))],
    'no-restricted-properties': ['error', ...properties],
  },
}
