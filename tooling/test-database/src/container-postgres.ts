import { defaultSettings } from './embedded-postgres.js'

/** A Postgres in a container. */
export interface ContainerPostgres {
  readonly dsn: string
  stop(): Promise<void>
}

/**
 * Starts a Postgres through Testcontainers, whose helper container (Ryuk), unless switched off, removes it
 * should this process be killed.
 * @param settings - server settings, over the same defaults as an own server has.
 * @throws what Testcontainers throws, for instance when the image cannot be had.
 */
export async function startContainerPostgres(
  image: string,
  settings: Record<string, string>,
): Promise<ContainerPostgres> {
  // Half a second to load, so only for those who have Docker.
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const flags = Object.entries({ ...defaultSettings(), ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const container = await new PostgreSqlContainer(image).withCommand(['postgres', ...flags]).start()
  const dsn = new URL(container.getConnectionUri())
  if (dsn.hostname === 'localhost') dsn.hostname = '127.0.0.1'
  return {
    dsn: dsn.href,
    async stop() {
      await container.stop()
    },
  }
}
