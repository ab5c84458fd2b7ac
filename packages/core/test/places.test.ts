import { describe, expect, it } from 'vitest'
import { Places } from '../src/queue/places.js'
import { TestClock } from '../src/testing/test-clock.js'
import type { ClaimedRow } from '../src/store/records.js'

/** So many claimed messages, one due each ms. */
function rows(count: number, row: Partial<ClaimedRow> = {}): ClaimedRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `m${i}`,
    queue: 'q',
    status: 'running',
    priority: 0,
    payload: '1',
    key: null,
    claims: 1,
    failures: 0,
    crashes: 0,
    due_at: 1000.5 + i,
    vt: 5000,
    enqueued_at: 1000,
    error: null,
    history: null,
    ...row,
  }))
}

describe('the places where claims go on', () => {
  it('are behind what a full claim from one lane has brought', () => {
    const places = new Places(new TestClock())
    expect(places.of('q')).toBeUndefined()
    places.learn(rows(200, { priority: 3 }), 200, 5)
    // One ms before the last, rounded down: others may have been due at the same time.
    expect(places.of('q')).toEqual({ priority: 3, since: 1198 })
    expect(places.of('another')).toBeUndefined()
  })

  it('are forgotten when a claim was not full, or of few', () => {
    const places = new Places(new TestClock())
    places.learn(rows(200), 200, 5)
    places.learn(rows(199), 200, 5)
    expect(places.of('q')).toBeUndefined()
    places.learn(rows(200), 200, 5)
    places.learn(rows(99), 99, 5)
    expect(places.of('q')).toBeUndefined()
  })

  it('are none where a claim reached over several lanes', () => {
    const places = new Places(new TestClock())
    const mixed = [...rows(100, { priority: 1 }), ...rows(100), ...rows(100, { queue: 'other' })]
    places.learn(mixed, 300, 5)
    expect(places.of('q')).toBeUndefined()
    expect(places.of('other')).toEqual({ priority: 0, since: 1098 })
  })

  it('are good for four times as long as it took to look everywhere, however often they moved on', async () => {
    const clock = new TestClock()
    const places = new Places(clock)
    places.learn(rows(200), 200, 100)
    await clock.advance(399)
    expect(places.of('q')).toMatchObject({ since: 1198 })
    places.learn(rows(200, { due_at: 7000 }), 200, 3)
    expect(places.of('q')).toMatchObject({ since: 6999 })
    await clock.advance(1)
    expect(places.of('q')).toBeUndefined()
  })
})
