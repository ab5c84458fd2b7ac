import { describe, expect, it } from 'vitest'
import { Meeting } from '../src/meeting.js'

describe('a meeting', () => {
  it('begins when the last one has come, and not when one comes twice', async () => {
    const meeting = new Meeting(2)
    const [first, second] = [meeting.guest(), meeting.guest()]
    let begun = false
    const waiting = first().then(() => (begun = true))
    void first()
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toBe(false)
    void second()
    await waiting
    expect(begun).toBe(true)
  })
})
