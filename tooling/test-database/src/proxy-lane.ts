import type { Socket } from 'node:net'

/** What the lanes of a proxy obey. */
export interface LaneRules {
  /** How long each byte is under way, in milliseconds. */
  delayMs: number
  /** Nothing passes while true; what was sent waits. */
  held: boolean
}

/** One direction of a proxied connection. */
export interface Lane {
  /** To be called when the rules have changed. */
  update(): void
}

/**
 * Forwards bytes, and then the end, from one socket to another, in order, as the rules allow.
 * @param pass - sees the bytes when they are due; they go no further when it returns false.
 */
export function createLane(
  from: Socket,
  to: Socket,
  rules: LaneRules,
  pass: (bytes: Buffer) => boolean,
): Lane {
  const underWay: { bytes: Buffer | undefined; due: number }[] = []
  let timer: NodeJS.Timeout | undefined
  let full = false

  function forward(): void {
    clearTimeout(timer)
    timer = undefined
    while (underWay[0] && !rules.held) {
      const wait = underWay[0].due - performance.now()
      if (wait > 0) {
        timer = setTimeout(forward, Math.ceil(wait))
        return
      }
      const { bytes } = underWay[0]
      underWay.shift()
      if (!bytes) to.end()
      else if (pass(bytes) && to.writable && !to.write(bytes)) full = true
    }
    flow()
  }

  function flow(): void {
    // A held lane does not read: its sender finds out by its own means, as when packets are lost.
    if (full || rules.held) from.pause()
    else from.resume()
  }

  function enqueue(bytes: Buffer | undefined): void {
    underWay.push({ bytes, due: performance.now() + rules.delayMs })
    if (!timer) forward()
  }

  from.on('data', enqueue)
  from.on('end', () => enqueue(undefined))
  from.on('close', () => clearTimeout(timer))
  to.on('drain', () => {
    full = false
    flow()
  })
  flow()
  return { update: forward }
}
