import { existsSync, readFileSync, statSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { ConfigError } from '../errors.js'
import { display, suggestion } from '../names.js'
import { settings, type ConfigInput } from './settings.js'

const LARGEST_FILE_BYTES = 256 * 1024

/** The file that is read when no other is named. */
export const DEFAULT_FILE = 'pgqrs.yaml'

/** Settings of a file and the line each stands on. */
export interface ConfigFile {
  readonly path: string
  readonly values: ConfigInput
  readonly lines: ReadonlyMap<string, number>
}

/**
 * Reads a configuration file: plain YAML 1.2, a map of settings. No tags that build objects, no anchors.
 * @throws ConfigError that names the file, the line and, for an unknown key, the nearest known one.
 */
export function readConfigFile(path: string): ConfigFile {
  const counter = new LineCounter()
  const document = parseDocument(readText(path), {
    lineCounter: counter,
    schema: 'core',
    uniqueKeys: true,
    merge: false,
  })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    const line = counter.linePos(problem.pos[0]).line
    throw new ConfigError(`${path}:${line}: ${firstLine(problem.message)}`)
  }
  let values: unknown
  try {
    values = document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new ConfigError(`${path}: aliases (*name) are not allowed in a configuration file.`, { cause })
  }
  if (values === null || values === undefined) return { path, values: {}, lines: new Map() }
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ConfigError(`${path}:1: expected settings such as "dsn: sqlite:app.db", one on each line.`)
  }
  return { path, values: values, lines: linesOf(document.contents, counter, path) }
}

function linesOf(contents: unknown, counter: LineCounter, path: string): Map<string, number> {
  const lines = new Map<string, number>()
  const items = (contents as { items: { key: { value: unknown; range: [number, number, number] } }[] }).items
  for (const { key } of items) {
    const name = String(key.value)
    const line = counter.linePos(key.range[0]).line
    if (!Object.hasOwn(settings, name)) {
      throw new ConfigError(
        `${path}:${line}: unknown key ${display(name)}.${suggestion(name, Object.keys(settings))}`,
      )
    }
    lines.set(name, line)
  }
  return lines
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

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
