// Who may import which package. Each ban holds for `import … from` and, unless it says static, for `import('…')`.
import { builtinModules } from 'node:module'

const builtin = `^(node:.*|(${builtinModules.filter((name) => !name.startsWith('_')).join('|')}))$`
const drivers = ['postgres', 'sqlite', 'turso']
const driversExcept = (own) => `^@pgqrs/(${drivers.filter((name) => name !== own).join('|')})(/|$)`

const bans = {
  kysely: {
    regex: '^kysely(/|$)',
    message: 'Only src/db and src/queries know kysely; the rest of core goes through the store.',
  },
  builtins: {
    regex: builtin,
    message: 'Core stays free of Node built-ins outside src/worker and src/config.',
  },
  staticDrivers: {
    regex: driversExcept(),
    message: 'A driver is loaded by import() when its DSN asks for it: the others need not be installed.',
    staticOnly: true,
  },
  anyDriver: {
    regex: driversExcept(),
    message: 'The shared suite must not know a driver; the driver brings itself.',
  },
  coreRoot: {
    regex: '^@pgqrs/core$',
    message: 'A driver builds on @pgqrs/core/driver; the public entry is for applications.',
  },
  coreDriver: { regex: '^@pgqrs/core/driver$', message: 'The command uses the public API: @pgqrs/core.' },
  otherPackages: {
    regex: '^@pgqrs/(?!core(/|$))(?!(postgres|sqlite|turso)$)',
    message: 'Core imports no other package of ours.',
  },
}
const otherDrivers = (own) => ({ regex: driversExcept(own), message: 'A driver knows no other driver.' })

/** The rule entries for these bans; `syntax` are further no-restricted-syntax items, since the rule can stand only once. */
function rules(banned, syntax = []) {
  const dynamic = banned
    .filter(({ staticOnly }) => !staticOnly)
    .map(({ regex, message }) => ({
      selector: `ImportExpression > Literal[value=/${regex.replaceAll('/', '\\u002f')}/]`,
      message,
    }))
  return {
    'no-restricted-imports': [
      'error',
      { patterns: banned.map(({ regex, message }) => ({ regex, message })) },
    ],
    'no-restricted-syntax': ['error', ...dynamic, ...syntax],
  }
}

/** The import rules per folder, each with the syntax rules that hold there too. */
export function packageImports({ everywhere, core }) {
  const coreAlways = [bans.staticDrivers, bans.otherPackages]
  const inCore = [...everywhere, ...core]
  return [
    {
      files: ['packages/core/src/**/*.ts'],
      rules: rules([...coreAlways, bans.kysely, bans.builtins], inCore),
    },
    {
      files: ['packages/core/src/{db,queries}/**/*.ts'],
      rules: rules([...coreAlways, bans.builtins], inCore),
    },
    {
      files: ['packages/core/src/{worker,config}/**/*.ts'],
      rules: rules([...coreAlways, bans.kysely], inCore),
    },
    // The two doors through which time and chance enter core.
    {
      files: ['packages/core/src/{clock,random}.ts'],
      rules: rules([...coreAlways, bans.kysely, bans.builtins], everywhere),
    },
    ...drivers.map((own) => ({
      files: [`packages/${own}/src/**/*.ts`],
      rules: rules([bans.coreRoot, otherDrivers(own)], everywhere),
    })),
    { files: ['packages/cli/src/**/*.ts'], rules: rules([bans.coreDriver, bans.staticDrivers], everywhere) },
    { files: ['tooling/conformance/**/*.ts'], rules: rules([bans.anyDriver], everywhere) },
  ]
}
