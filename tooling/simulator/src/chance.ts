import type { Random } from '@pgqrs/core/driver'

/** Numbers that look like chance and are the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The engine's randomness by seed: ids that are ordered by `wallMs`, grants that nobody else draws. */
export function seededRandom(seed: number, wallMs: () => number): Random {
  const next = chance(seed)
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits)
      text += Math.floor(next() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    id: () => {
      const time = Math.floor(wallMs()).toString(16).padStart(12, '0')
      return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(12)}`
    },
    leaseId: () => `${hex(8)}-${hex(4)}-4${hex(3)}-9${hex(3)}-${hex(12)}`,
    fraction: next,
  }
}
