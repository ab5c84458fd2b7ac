import type { Store } from '@pgqrs/core'

interface DriverModule {
  connect(options: object): Promise<Store>
}

/**
 * Opens a store in a child process. The driver is one of the neighbours in `packages/`; the suite itself depends on
 * none of them.
 */
export async function connectTo(driverPackage: string, options: object): Promise<Store> {
  const folder = driverPackage.replace('@pgqrs/', '')
  const source = new URL(`../../../../packages/${folder}/src/index.ts`, import.meta.url)
  const driver = (await import(source.href)) as DriverModule
  return driver.connect({ pollInterval: '50ms', ...options })
}
