import type { Payload } from './system.js'

/** The size of every payload's JSON, in bytes. */
export const payloadBytes = 80

const bareBytes = JSON.stringify({ n: '', kind: '', steps: '', text: '' }).length - 4
const filler = 'x'.repeat(payloadBytes)

/**
 * A payload whose JSON has 80 bytes.
 * @param n - below ten digits.
 */
export function payloadFor(n: number, kind: Payload['kind'] = 'none', steps = 0): Payload {
  const used = bareBytes + String(n).length + kind.length + String(steps).length
  return { n, kind, steps, text: filler.slice(used) }
}
