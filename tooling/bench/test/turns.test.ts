import { describe, expect, it } from 'vitest'
import { Turns } from '../src/turns.js'

describe('turns', () => {
  it('are taken by so many at once and no more, whether they succeed or fail', async () => {
    const turns = new Turns(2)
    let [active, most] = [0, 0]
    const once = async (fails: boolean): Promise<void> => {
      most = Math.max(most, ++active)
      await new Promise((resolve) => setImmediate(resolve))
      active--
      if (fails) throw new Error('it failed')
    }
    const results = await Promise.allSettled(
      [false, true, false, true, false].map((fails) => turns.take(() => once(fails))),
    )
    expect(most).toBe(2)
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
  })
})
