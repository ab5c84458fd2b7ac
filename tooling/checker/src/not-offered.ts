/** An invariant that is not checked, and why. */
export interface NotChecked {
  readonly id: string
  readonly sentence: string
  readonly reason: string
}

/** Invariants of reference/reliability.md section 4 about what pgqrs does not offer. */
export const notOffered: readonly NotChecked[] = [
  {
    id: 'Q13',
    sentence: 'Messages of one group are delivered one by one, in order',
    reason: 'pgqrs has no FIFO groups: a key dedups, it does not order',
  },
  {
    id: 'Q15',
    sentence: 'Concurrency and rate stay below their limits',
    reason: 'no limits across workers; the limits of one worker and one producer are unit tests',
  },
  {
    id: 'W10',
    sentence: 'A child run is started once, and its result is the child’s',
    reason: 'no child runs: a workflow triggers others through a step',
  },
  {
    id: 'W11',
    sentence: 'A parent does not end before the children it awaits',
    reason: 'no child runs',
  },
  {
    id: 'W12c',
    sentence: 'Compensations run once each, in reverse order',
    reason: 'no compensations: they are steps in a catch block of the user',
  },
  {
    id: 'W14',
    sentence: 'A schedule makes one run for each tick',
    reason: 'no cron',
  },
]
