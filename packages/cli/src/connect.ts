import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  connect,
  InvalidArgumentError,
  resolveConfig,
  type ConfigInput,
  type ResolvedConfig,
  type Store,
} from '@pgqrs/core'
import type { InputStream } from './io.js'

/** Options every command has. */
export interface GlobalOptions {
  readonly dsn?: string
  readonly schema?: string
  readonly config?: string
  readonly json?: boolean
  readonly color: boolean
}

/** The settings that hold for these options, and where each came from. @throws ConfigError */
export function settingsOf(options: GlobalOptions): ResolvedConfig {
  const { config, sources } = resolveConfig(
    explicit(options),
    options.config === undefined ? {} : { file: options.config },
  )
  const named = Object.entries(sources).map(([name, source]) => [
    name,
    source === 'option' ? `--${name}` : source,
  ])
  return { config, sources: Object.fromEntries(named) as ResolvedConfig['sources'] }
}

/**
 * Opens the store these options name. The caller closes it. Only with `create` is a database file made that is not
 * there: a wrong path must not look like an empty database.
 * @throws what `connect` of core throws
 */
export async function openStore(options: GlobalOptions, create: boolean): Promise<Store> {
  return connect({
    ...explicit(options),
    create,
    ...(options.config === undefined ? {} : { config: options.config }),
  })
}

/** `--dsn -`: takes the DSN from standard input, where no list of processes shows it. @throws InvalidArgumentError */
export async function withReadDsn(options: GlobalOptions, stdin: InputStream): Promise<GlobalOptions> {
  if (options.dsn !== '-') return options
  const lines = createInterface({ input: stdin })
  const first = await Promise.race([once(lines, 'line'), once(lines, 'close')])
  lines.close()
  const dsn = (first as string[])[0]?.trim() ?? ''
  if (dsn === '')
    throw new InvalidArgumentError('--dsn - reads the DSN from standard input, and nothing was there.')
  return { ...options, dsn }
}

function explicit({ dsn, schema }: GlobalOptions): ConfigInput {
  return { ...(dsn === undefined ? {} : { dsn }), ...(schema === undefined ? {} : { schema }) }
}
