import type { Invariant } from './invariant.js'
import { conservation } from './queue/conservation.js'
import { delivery } from './queue/delivery.js'
import { fence } from './queue/fence.js'
import { leases } from './queue/leases.js'
import { liveness } from './queue/liveness.js'
import { schedule } from './queue/schedule.js'
import { answers } from './system/answers.js'
import { lists } from './system/lists.js'
import { processes } from './system/processes.js'
import { replay } from './workflow/replay.js'
import { states } from './workflow/states.js'
import { steps } from './workflow/steps.js'
import { transactions } from './workflow/transactions.js'

const all = [
  ...[delivery, leases, fence, schedule, conservation, liveness],
  ...[states, steps, transactions, replay],
  ...[processes, answers, lists],
].flat()

/** Every invariant that is checked, in the order of reference/reliability.md section 4. */
export const invariants: readonly Invariant[] = all.sort((a, b) => place(a.id) - place(b.id))

function place(id: string): number {
  return 'QWS'.indexOf(id.charAt(0)) * 1000 + Number.parseInt(id.slice(1), 10)
}
