import { readFileSync } from 'node:fs'
import { chown, writeFile } from 'node:fs/promises'

/** Whom to run a server as: spread into the options of `spawn`. Empty when this process is not root. */
export interface SpawnUser {
  uid?: number
  gid?: number
}

/**
 * An existing user without privileges, for servers that refuse to run as root: `postgres`, else `nobody`.
 * @throws {Error} when this process is root and there is neither.
 */
export function unprivilegedUser(): SpawnUser {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('this process is root and there is no user "postgres" or "nobody" to run a server as')
}

/** Writes a file that only a server's user can read. */
export async function writeSecret(file: string, text: string, user: SpawnUser): Promise<void> {
  await writeFile(file, text, { mode: 0o600 })
  if (user.uid !== undefined && user.gid !== undefined) await chown(file, user.uid, user.gid)
}
