import type { Act, Action, Command, Fault, Part, Profile, Schedule } from './schedule.js'

/** A schedule in which something once was wrong, as it was shrunk, and what that was. */
export interface Regression {
  readonly bug: string
  readonly schedule: Schedule
}

const calm: Profile = {
  seed: 0,
  workers: 1,
  concurrency: 1,
  oneWriter: false,
  hints: false,
  latency: 0,
  leaseMs: 2000,
  patienceMs: 10_000,
  clock: 'database',
  looks: 'all',
}

/** A profile with nothing special about it but what is given. */
export function profile(special: Partial<Profile> = {}): Profile {
  return { ...calm, ...special }
}

/** After `waitMs`, a process is told to do something. */
export function after(waitMs: number, process: number, action: Action): Command {
  return { waitMs, process, action }
}

/** Enqueues a message whose handler does `act`; at once and without a key, unless said otherwise. */
export function enqueue(
  act: Act,
  { delayMs = 0, key = null }: { readonly delayMs?: number; readonly key?: number | null } = {},
): Action {
  return { do: 'enqueue', act, delayMs, key }
}

/** Triggers a run of these parts that returns in the end; without a key, unless said otherwise. */
export function trigger(
  parts: readonly Part[],
  { key = null }: { readonly key?: number | null } = {},
): Action {
  return { do: 'trigger', parts, throws: false, key }
}

/** What befalls the call number `at`, counted from 0. */
export function fault(on: Fault['on'], at: number, kind: Fault['kind'], ms: number): Fault {
  return { on, at, kind, ms }
}
