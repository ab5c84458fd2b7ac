import { existsSync, readFileSync, statSync } from 'node:fs'
import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml'
import { ConfigError } from '../errors.js'
import { display, suggestion } from '../names.js'
import { settings, type ConfigInput } from './settings.js'

const LARGEST_FILE_BYTES = 256 * 1024

/** The file that is read when no other is named. */
export const DEFAULT_FILE = 'pgqrs.yaml'

/** Settings of a file and the line each stands on. */
export interface ConfigFile {
  readonly path: string
  /** Not checked yet, except that each is a setting. */
  readonly values: ConfigInput
  readonly lines: ReadonlyMap<string, number>
}

/**
 * Reads a configuration file: plain YAML 1.2, a map of settings. No tags that build objects, no aliases.
 * @throws ConfigError that names the file, the line and, for an unknown key, the nearest known one. It never shows a
 * value, which may be a secret.
 */
export function readConfigFile(path: string): ConfigFile {
  const counter = new LineCounter()
  const place = (offset: number): string => `${path}:${counter.linePos(offset).line}`
  const document = parseDocument(readText(path), { lineCounter: counter, schema: 'core', merge: false })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) throw new ConfigError(`${place(problem.pos[0])}: ${said(problem)}`)
  visit(document, {
    // One of them in another, a few times over, is a text of gigabytes.
    Alias: (_, { range }) => {
      throw new ConfigError(
        `${place(range?.[0] ?? 0)}: aliases (*name) are not allowed in a configuration file.`,
      )
    },
  })
  const lines = linesOf(document, place, counter)
  return { path, values: lines.size === 0 ? {} : (document.toJS() as ConfigInput), lines }
}

function linesOf(
  { contents }: Document.Parsed,
  place: (offset: number) => string,
  counter: LineCounter,
): Map<string, number> {
  const lines = new Map<string, number>()
  if (contents === null || (isScalar(contents) && contents.value === null)) return lines
  if (!isMap(contents)) {
    throw new ConfigError(
      `${place(contents.range[0])}: expected settings such as "dsn: sqlite:app.db", one on each line.`,
    )
  }
  for (const { key } of contents.items) {
    const offset = key.range[0]
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : undefined
    if (name === undefined || !Object.hasOwn(settings, name)) {
      throw new ConfigError(`${place(offset)}: ${unknownKey(name)}`)
    }
    lines.set(name, counter.linePos(offset).line)
  }
  return lines
}

function unknownKey(name: string | undefined): string {
  const known = Object.keys(settings)
  // What is no word may be a DSN that lacks its "dsn: ".
  if (name === undefined || !/^[\w.-]{1,60}$/.test(name))
    return `a key that is no setting. Known: ${known.join(', ')}.`
  return `unknown key ${display(name)}.${suggestion(name, known) || ` Known: ${known.join(', ')}.`}`
}

// The parser's own messages, without the pieces of the file that some of them repeat.
function said({ code, message }: YAMLError): string {
  switch (code) {
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!name) are not allowed in a configuration file.'
    case 'MULTIPLE_DOCS':
      return 'a configuration file is one document, without "---" in between.'
    case 'BAD_DIRECTIVE':
      return 'a directive (%NAME) has no meaning in a configuration file.'
    case 'BAD_DQ_ESCAPE':
      return 'a backslash in a text in double quotes begins no escape. Use single quotes.'
    default:
      return `${message.replace(/ at line \d+, column \d+:[^]*$/, '').replace(/(?<=\S): [^]*$/, '')}.`
  }
}

function readText(path: string): string {
  try {
    const size = statSync(path).size
    if (size > LARGEST_FILE_BYTES) {
      throw new ConfigError(
        `${path} has ${size} bytes; a configuration file has at most ${LARGEST_FILE_BYTES}.`,
      )
    }
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** Whether the default file is there. */
export function defaultFileExists(): boolean {
  return existsSync(DEFAULT_FILE)
}
