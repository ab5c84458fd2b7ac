import { ConfigError, InvalidArgumentError } from '../errors.js'
import { defaultFileExists, DEFAULT_FILE, readConfigFile, type ConfigFile } from './file.js'
import { isSettled } from './settled.js'
import { settings, type Config, type ConfigInput } from './settings.js'

/** Where a setting came from: `option`, an environment variable, `file:line`, or `default`. */
export type ConfigSource = string

/** A configuration and the source of each of its values. */
export interface ResolvedConfig {
  readonly config: Config
  readonly sources: Readonly<Record<keyof ConfigInput, ConfigSource>>
}

/** Where settings may come from, besides explicit options. */
export interface ConfigPlaces {
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A YAML file that must exist. Default: `pgqrs.yaml` in the working directory, when it is there. */
  readonly file?: string
}

/**
 * Settles every setting: explicit option, then environment, then file, then default.
 * @throws ConfigError that names the setting and where its value came from.
 */
export function resolveConfig(explicit: ConfigInput = {}, places: ConfigPlaces = {}): ResolvedConfig {
  const done = isSettled(explicit)
  const env = done ? {} : (places.env ?? process.env)
  const file = done ? undefined : openFile(places.file)
  const values: Record<string, unknown> = {}
  const sources: Record<string, ConfigSource> = {}
  for (const name of Object.keys(settings) as (keyof ConfigInput)[]) {
    const { value, source } = find(name, explicit, env, file)
    try {
      values[name] = settings[name].check(value as never)
    } catch (cause) {
      if (!(cause instanceof InvalidArgumentError)) throw cause
      throw new ConfigError(`${source}: ${cause.message}`, { cause })
    }
    sources[name] = source
  }
  const { connectionTimeout, lease, heartbeatInterval, pollInterval, ...rest } = values
  const config = {
    ...rest,
    connectionTimeoutMs: connectionTimeout,
    leaseMs: lease,
    heartbeatMs: heartbeatInterval,
    pollMs: pollInterval,
  } as unknown as Config
  return { config, sources: sources as Record<keyof ConfigInput, ConfigSource> }
}

function openFile(path: string | undefined): ConfigFile | undefined {
  if (path !== undefined) return readConfigFile(path)
  return defaultFileExists() ? readConfigFile(DEFAULT_FILE) : undefined
}

function find(
  name: keyof ConfigInput,
  explicit: ConfigInput,
  env: Readonly<Record<string, string | undefined>>,
  file: ConfigFile | undefined,
): { value: unknown; source: ConfigSource } {
  if (explicit[name] !== undefined) return { value: explicit[name], source: 'option' }
  const setting = settings[name]
  // DATABASE_URL belongs to the application, so it counts only when nothing says pgqrs.
  const last = setting.env.includes('DATABASE_URL') ? 'DATABASE_URL' : undefined
  for (const variable of setting.env) {
    const text = env[variable]
    if (variable !== last && text !== undefined && text !== '')
      return { value: setting.fromEnv(text), source: variable }
  }
  if (file?.values[name] !== undefined) {
    return { value: file.values[name], source: `${file.path}:${file.lines.get(name) ?? 1}` }
  }
  const text = last === undefined ? undefined : env[last]
  if (last !== undefined && text !== undefined && text !== '')
    return { value: setting.fromEnv(text), source: last }
  return { value: setting.fallback, source: 'default' }
}
