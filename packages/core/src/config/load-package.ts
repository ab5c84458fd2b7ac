import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Finds a package that is no dependency of ours: beside us first, then in the user's project, and last beside the script
 * this process was started with, which may have been from another folder. With the strict layout of pnpm we see only our
 * own dependencies, and a driver is the project's.
 * @param from a folder of the project. Default: the working directory.
 * @returns what imports it; undefined when it is installed in none of these places.
 */
export function findPackage(name: string, from = process.cwd()): (() => Promise<unknown>) | undefined {
  const path =
    resolveFrom(import.meta.url, name) ??
    resolveFrom(pathToFileURL(join(from, 'package.json')).href, name) ??
    resolveFrom(pathToFileURL(process.argv[1] ?? from).href, name)
  if (path === undefined) return undefined
  return async () => (await import(pathToFileURL(path).href)) as unknown
}

/** Whether an import failed because this package is not installed for whoever imports it. */
export function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`)
}

// The packages we look for have one entry for import and require, so the older resolver, which can start anywhere and
// never runs anything, finds the same file.
function resolveFrom(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
