import { backendKills } from './backend-kills.js'
import { diskFull } from './disk-full.js'
import { failover, laggingFailover } from './failover.js'
import type { Fault } from './fault.js'
import { block, freeze, freezeAtCheckpoint, freezeAtCompletion, freezeAtPoint } from './freeze.js'
import { http5xx, httpSlow } from './http.js'
import { killAll } from './kill-all.js'
import { kill, killAtPoint, killClient } from './kill.js'
import { lostAnswers, lostRequests } from './lost-answers.js'
import { netCut, netDelay, netHalfOpen, netOneWay, netRefuse } from './network.js'
import { pooler } from './pooler.js'
import { restartFast, restartImmediate } from './restart.js'
import { idleTimeout, lockTimeout, readOnly, statementTimeout } from './server-limits.js'
import { smallPool } from './small-pool.js'
import { longReader, writeLock } from './sqlite-locks.js'
import { terminate } from './terminate.js'
import { wrongClock } from './wrong-clock.js'

/** Every fault there is. Poison messages are part of the load. */
export const allFaults: readonly Fault[] = [
  ...[kill, killAtPoint, killClient, killAll, terminate, wrongClock, smallPool],
  ...[freeze, freezeAtPoint, freezeAtCheckpoint, freezeAtCompletion, block],
  ...[netDelay, netCut, netHalfOpen, netOneWay, netRefuse, lostAnswers, lostRequests, http5xx, httpSlow],
  ...[
    failover,
    laggingFailover,
    backendKills,
    restartFast,
    restartImmediate,
    lockTimeout,
    statementTimeout,
    idleTimeout,
    readOnly,
    pooler,
  ],
  ...[writeLock, longReader, diskFull],
]
