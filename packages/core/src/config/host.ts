import { hostname } from 'node:os'

/** Name of this machine, for the list of workers. */
export function hostName(): string {
  return hostname()
}
