/** What happens to the next requests of a libSQL server stand-in. The delay comes first and may stand alone. */
export interface LibsqlFault {
  /** To how many requests it happens; 1 by default, 0 clears the fault. */
  count?: number
  /** The answer instead of executing, such as 502. A WebSocket is closed with code 1011 instead. */
  status?: number
  /** Cut the connection before the request is executed, or after it, before the answer. */
  drop?: 'request' | 'answer'
  /** How long the request waits before anything else, in milliseconds. */
  delayMs?: number
}

/** The one fault that is armed. */
export interface FaultSwitch {
  /** Replaces what was armed. */
  arm(fault: LibsqlFault): void
  /** What happens to the request that has just come; uses the fault up by one. */
  take(): LibsqlFault
}

/** A switch with nothing armed. */
export function createFaultSwitch(): FaultSwitch {
  let armed: LibsqlFault = {}
  let left = 0
  return {
    arm(fault) {
      armed = fault
      left = fault.count ?? 1
    },
    take() {
      if (left === 0) return {}
      left -= 1
      return armed
    },
  }
}
