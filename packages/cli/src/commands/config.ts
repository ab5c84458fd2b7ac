import type { Command } from 'commander'
import type { Config } from '@pgqrs/core'
import { addCommand } from '../command.js'
import { settingsOf } from '../connect.js'
import { maskDsn } from '../mask.js'
import type { Column } from '../output/table.js'
import { span } from '../output/time.js'
import type { Session, Work } from '../session.js'

interface Setting {
  readonly name: string
  /** Spans are milliseconds. */
  readonly value: string | number | boolean | null
  readonly source: string
  readonly isSpan: boolean
}

const columns: readonly Column<Setting>[] = [
  { title: 'setting', of: (row) => row.name, isWhole: true },
  { title: 'value', of: (row) => shown(row), isWhole: true },
  { title: 'from', of: (row) => row.source },
]

/** `config`. */
export function addConfigCommand(program: Command, session: Session): void {
  addCommand(program, {
    usage: 'config',
    description:
      'Show every setting, its value and where it came from. Secrets are masked. Connects to nothing.',
    examples: ['config', 'config --config production.yaml --json'],
  }).action(async (_options: unknown, command: Command) => {
    show(await session.work(command))
  })
}

function show({ out, options }: Work): void {
  const settings = list(options)
  const json = settings.map(({ name, value, source, isSpan }) => [
    isSpan ? `${name}Ms` : name,
    { value, source },
  ])
  out.answer(Object.fromEntries(json), () => {
    out.table(columns, settings, 'There are no settings.')
  })
}

function list(options: Work['options']): Setting[] {
  const { config, sources } = settingsOf(options)
  const setting = (name: keyof typeof sources, value: Setting['value'] | undefined): Setting => ({
    name,
    value: value ?? null,
    source: sources[name],
    isSpan: false,
  })
  const inMs = (name: keyof typeof sources, ms: number): Setting => ({ ...setting(name, ms), isSpan: true })
  return [
    setting('dsn', masked(config)),
    setting('schema', config.schema),
    setting('maxConnections', config.maxConnections),
    inMs('connectionTimeout', config.connectionTimeoutMs),
    inMs('lease', config.leaseMs),
    setting('batchSize', config.batchSize),
    setting('maxCrashes', config.maxCrashes),
    inMs('heartbeatInterval', config.heartbeatMs),
    inMs('pollInterval', config.pollMs),
    setting('sqliteWal', config.sqliteWal),
  ]
}

function masked({ dsn }: Config): string | undefined {
  return dsn === undefined ? undefined : maskDsn(dsn)
}

function shown({ value, isSpan }: Setting): string {
  if (value === null) return '(not set)'
  return isSpan && typeof value === 'number' ? exactSpan(value) : String(value)
}

// Settings are shown as they could be written: 90 s is 90000ms and not 1m.
function exactSpan(ms: number): string {
  return ms % 1000 === 0 && ms < 60_000 ? span(ms) : `${ms}ms`
}
