import { ConfigError } from '../errors.js'
import type { Config } from './settings.js'

/**
 * The DSN of a configuration.
 * @param pass what to pass to connect(), for the error that says that there is none.
 * @throws ConfigError when no database is configured
 */
export function configuredDsn(config: Pick<Config, 'dsn'>, pass = 'a DSN'): string {
  if (config.dsn !== undefined) return config.dsn
  throw new ConfigError(
    `No database is configured: pass ${pass}, set PGQRS_DSN, or write "dsn: …" into pgqrs.yaml.`,
  )
}
