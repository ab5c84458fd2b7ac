import type { System } from './system.js'

/** Names of the systems that need nothing on demand. */
export const ownNames: readonly string[] = ['pgqrs', 'limit']

/** Every system in every configuration: pgqrs, the limit, and the rivals. */
export async function allSystems(): Promise<readonly System[]> {
  return [...(await own()), ...(await rivals())]
}

/**
 * One system in one configuration. Loads nothing of the others: a process of a rival has no code of ours in it, and
 * the other way round.
 * @throws {Error} when there is none.
 */
export async function systemNamed(name: string, configuration: System['configuration']): Promise<System> {
  const known = ownNames.includes(name) ? await own() : await rivals()
  const found = known.find((system) => system.name === name && system.configuration === configuration)
  if (found === undefined) throw new Error(`there is no system ${name} (${configuration})`)
  return found
}

async function own(): Promise<readonly System[]> {
  const [{ pgqrs }, { limits }] = await Promise.all([import('./pgqrs.js'), import('./limit.js')])
  return [...pgqrs, ...limits]
}

async function rivals(): Promise<readonly System[]> {
  const module = await import('./rivals/index.js')
  return module.rivals
}
