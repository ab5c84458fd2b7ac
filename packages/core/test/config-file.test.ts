import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { readConfigFile } from '../src/config/file.js'
import { ConfigError } from '../src/errors.js'

let path: string

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-file-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  path = join(folder, 'settings.yaml')
})

function errorOf(text: string): ConfigError {
  writeFileSync(path, text)
  try {
    readConfigFile(path)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the file was accepted')
}

describe('a configuration file', () => {
  it.each([
    ['nothing', ''],
    ['a comment', '# nothing yet\n'],
    ['null', '~\n'],
    ['a byte order mark', '\ufeff'],
  ])('may hold %s', (_what, text) => {
    writeFileSync(path, text)
    expect(readConfigFile(path)).toEqual({ path, values: {}, lines: new Map() })
  })

  it('holds settings, and knows on which line each stands', () => {
    writeFileSync(
      path,
      '---\r\ndsn: "sqlite:app.db"\r\n\r\nlease: 30s # half a minute\r\n"maxConnections": 5\r\n',
    )
    const { values, lines } = readConfigFile(path)
    expect(values).toEqual({ dsn: 'sqlite:app.db', lease: '30s', maxConnections: 5 })
    expect(Object.fromEntries(lines)).toEqual({ dsn: 2, lease: 4, maxConnections: 5 })
  })

  const problems: readonly (readonly [what: string, text: string, line: number, said: string])[] = [
    ['a quote that is not closed', 'lease: 5s\ndsn: "sqlite:a.db\n', 3, 'closing'],
    ['a tab for indentation', 'dsn: a\n\tlease: 5s\n', 2, 'Tabs'],
    ['a map in a line', 'dsn: a: b\n', 1, 'mappings'],
    ['a key without a colon', 'dsn: sqlite:a.db\nlease\n', 2, 'mplicit'],
    ['a list', '\n- dsn: a\n', 2, 'expected settings'],
    ['a text', 'postgres://localhost/app\n', 1, 'expected settings'],
    ['two documents', 'dsn: a\n---\ndsn: b\n', 2, 'one document'],
    ['a key twice', 'dsn: a\nlease: 5s\ndsn: b\n', 3, 'unique'],
    ['an unknown key', 'dsn: a\n\nlaese: 5s\n', 3, 'unknown key "laese". Did you mean "lease"?'],
    ['an unknown key far from all others', 'zzzzzzzzzz: 5s\n', 1, 'Known: dsn, schema'],
    ['__proto__', 'dsn: a\n__proto__:\n  polluted: 1\n', 2, 'unknown key "__proto__"'],
    ['constructor', 'constructor:\n  prototype:\n    polluted: 1\n', 1, 'unknown key "constructor"'],
    ['a merge key', 'dsn: a\n<<: { lease: 5s }\n', 2, 'no setting'],
    ['a key that is a list', '? [dsn]\n: a\n', 1, 'no setting'],
    ['a key that is a number', '5: a\n', 1, 'no setting'],
    ['an empty key', ': a\n', 1, 'no setting'],
    ['a function', 'dsn: !!js/function "function () { process.exit(1) }"\n', 1, 'tags'],
    ['a tag of its own', 'lease: 5s\ndsn: !mine a\n', 2, 'tags'],
    ['an alias', 'lease: &span 5s\npollInterval: *span\n', 2, 'aliases'],
    ['an alias for a key', 'lease: &name pollInterval\n*name : 5s\n', 2, 'aliases'],
    ['an alias of nothing', 'dsn: *nothing\n', 1, 'lias'],
    ['a wrong escape', 'dsn: "a\\q"\n', 1, 'single quotes'],
    ['a version from the future', '%YAML 3.0\n---\ndsn: a\n', 1, 'directive'],
  ]
  it.each(problems)('is refused with the line when it holds %s', (_what, text, line, said) => {
    const { message } = errorOf(text)
    expect(message.startsWith(`${path}:${line}: `), message).toBe(true)
    expect(message).toContain(said)
    expect(message).not.toContain('\n')
  })

  it('is refused before aliases in aliases fill the memory', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 12; i++) {
      const [name, before] = [i, i - 1].map((n) => String.fromCharCode(97 + n))
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`)
    }
    expect(errorOf(bomb.join('\n')).message).toContain('aliases')
  })

  it('is refused when it is larger than a configuration can be', () => {
    expect(errorOf(`dsn: ${'x'.repeat(300_000)}\n`).message).toContain(`${path} has 300006 bytes`)
  })

  it('is refused when it is not there, or a folder', () => {
    expect(() => readConfigFile(`${path}.not`)).toThrow(/cannot be read: ENOENT/)
    mkdirSync(path)
    expect(() => readConfigFile(path)).toThrow(/cannot be read: EISDIR/)
  })

  const secret = 'p4ss-canary'
  const leaky: readonly string[] = [
    `dsn: "postgres://u:${secret}@h/db`,
    `dsn: "postgres://u:${secret}@h/db" ${secret}`,
    `postgres://u:${secret}@h/db`,
    `postgres://u:${secret}@h: x`,
    `postgres://u:${secret}@h/db:`,
    `dsn: postgres://u:${secret}@h/db\nbad`,
    `dsn: *${secret}`,
    `dsn: !${secret} x`,
    `dsn: !!${secret} x`,
    `dsn: |${secret}\n  x`,
    `dsn: "\\${secret}"`,
    `dsn: @${secret}`,
    `dsn: a: ${secret}`,
    `dsn: [${secret}`,
    `dsn: {${secret}`,
    `- ${secret}`,
    `dsn: ${secret}\ndsn: ${secret}`,
    `dsn: a\n---\n${secret}`,
    `${secret} x: 1`,
    `%${secret}\n---\ndsn: a`,
    `dsn:\n  ${secret}\n ${secret}: x: y`,
    `? [${secret}]\n: x`,
  ]
  it.each(leaky)('never shows what stands in it (text %#)', (text) => {
    const error = errorOf(text)
    expect(`${error.message}\n${error.stack ?? ''}\n${inspect(error, { depth: 20 })}`).not.toContain(secret)
  })
})
