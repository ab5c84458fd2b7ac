import { requeueAtBoot } from './boot.js'
import { clientClock, earlyTimer } from './clocks.js'
import { ackFirst, splitCompletion } from './completion.js'
import { durabilityOff } from './durability.js'
import { noFence, overwriteCheckpoint, workerIdFence } from './fences.js'
import { ignoreStepKey } from './keys.js'
import type { Sabotage } from './sabotage.js'

const all = {
  'no-fence': noFence,
  'worker-id-fence': workerIdFence,
  'client-clock': clientClock,
  'split-completion': splitCompletion,
  'ack-first': ackFirst,
  'overwrite-checkpoint': overwriteCheckpoint,
  'requeue-at-boot': requeueAtBoot,
  'durability-off': durabilityOff,
  'early-timer': earlyTimer,
  'ignore-step-key': ignoreStepKey,
} as const satisfies Record<string, Sabotage>

/** Ways to break the engine on purpose, by name. */
export const sabotages: Readonly<Record<string, Sabotage>> = all
