import type { System } from '../system.js'
import { absurd } from './absurd.js'
import { bullmq } from './bullmq.js'
import { dbos } from './dbos.js'
import { durably } from './durably.js'
import { graphileWorker } from './graphile-worker.js'
import { openWorkflow } from './openworkflow.js'
import { pgBoss } from './pg-boss.js'
import { queuert } from './queuert.js'

/** Every rival in every configuration. */
export const rivals: readonly System[] = [
  ...pgBoss,
  ...graphileWorker,
  ...bullmq,
  ...dbos,
  ...openWorkflow,
  ...durably,
  ...absurd,
  queuert,
]
