import { describe, expect, it } from 'vitest'
import { payloadFor } from '../src/payload.js'

describe('payloads', () => {
  it.each([0, 9, 10, 49_999, 1_000_000, 999_999_999])('number %d has 80 bytes', (n) => {
    for (const kind of ['none', 'steps', 'transaction', 'sleep'] as const) {
      for (const steps of [0, 3, 10]) {
        const payload = payloadFor(n, kind, steps)
        expect(Buffer.byteLength(JSON.stringify(payload))).toBe(80)
        expect(payload).toMatchObject({ n, kind, steps })
      }
    }
  })
})
