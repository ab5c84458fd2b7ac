import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The package outside of the workspace that holds the rivals and the chart library. */
export const onDemandFolder = fileURLToPath(new URL('../on-demand/', import.meta.url))

interface Loader {
  readonly load: (name: string) => Promise<unknown>
}

/**
 * Imports a package that is installed on demand (or a path into it, `name/part`).
 * @typeParam Module - the part of its namespace that is used; its own types are not there when ours are checked.
 * @throws {Error} when it is not installed.
 */
export async function importOnDemand<Module>(name: string): Promise<Module> {
  // By URL, because the folder is no part of the program that tsc sees.
  const { load } = (await import(new URL('../on-demand/load.mjs', import.meta.url).href)) as Loader
  return (await load(name)) as Module
}

/** The version of an installed package, or undefined. */
export async function installedVersion(name: string): Promise<string | undefined> {
  const file = `${onDemandFolder}node_modules/${name}/package.json`
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { version } = JSON.parse(text) as { version: string }
  return version
}
