import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { delay, systemClock } from '../src/clock.js'
import { TestClock } from '../src/testing.js'

const DAY = 24 * 3_600_000

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([0, 1, 1000, 2 ** 31 - 1, 2 ** 31, 60 * DAY, 365 * DAY, 3650 * DAY])(
    'calls back after %d ms, once and not a moment sooner',
    (ms) => {
      const callback = vi.fn()
      systemClock.after(ms, callback)
      vi.advanceTimersByTime(Math.max(0, ms - 1))
      expect(callback).toHaveBeenCalledTimes(ms === 0 ? 1 : 0)
      vi.advanceTimersByTime(1)
      expect(callback).toHaveBeenCalledTimes(1)
      vi.advanceTimersByTime(2 ** 31)
      expect(callback).toHaveBeenCalledTimes(1)
    },
  )

  it('calls back at once for a time that is past', () => {
    const callback = vi.fn()
    systemClock.after(-5, callback)
    vi.advanceTimersByTime(0)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it.each([0, 1000, 365 * DAY])(
    'leaves no timer behind that was cancelled before or after %d ms',
    (before) => {
      const callback = vi.fn()
      const cancel = systemClock.after(400 * DAY, callback)
      vi.advanceTimersByTime(before)
      cancel()
      cancel()
      expect(vi.getTimerCount()).toBe(0)
      vi.advanceTimersByTime(500 * DAY)
      expect(callback).not.toHaveBeenCalled()
    },
  )
})

describe('a background timer', () => {
  it.each([1000, 2 ** 32])('of %d ms does not keep the process alive; another does', (ms) => {
    const active = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = active()
    const cancelBackground = systemClock.after(ms, () => undefined, { background: true })
    expect(active()).toBe(before)
    const cancel = systemClock.after(ms, () => undefined)
    expect(active()).toBe(before + 1)
    cancel()
    cancelBackground()
  })
})

describe('delay', () => {
  it('resolves after its time', async () => {
    const clock = new TestClock()
    const done = vi.fn()
    void delay(clock, 400 * DAY).then(done)
    await clock.advance(400 * DAY - 1)
    expect(done).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(done).toHaveBeenCalledTimes(1)
  })

  it('rejects with the reason of its signal, at once, and leaves nothing behind', async () => {
    const clock = new TestClock()
    const cancelled = vi.fn()
    const after = clock.after.bind(clock)
    clock.after = (ms, callback) => {
      const cancel = after(ms, callback)
      return () => {
        cancelled()
        cancel()
      }
    }
    const { signal, abort } = abortable()
    const waiting = delay(clock, 1000, { signal })
    abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(cancelled).toHaveBeenCalledTimes(1)
    await expect(delay(clock, 1000, { signal })).rejects.toThrow('enough')
  })

  it('takes its listener away from the signal when it is over', async () => {
    const clock = new TestClock()
    const { signal } = abortable()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const waiting = delay(clock, 1000, { signal })
    await clock.advance(1000)
    await waiting
    expect(remove).toHaveBeenCalledWith('abort', expect.any(Function))
  })
})

describe('the test clock', () => {
  it('stands still, and goes on from timer to timer in their order', async () => {
    const clock = new TestClock(1000)
    const fired: string[] = []
    clock.after(20, () => fired.push(`b at ${clock.wallNow()}`))
    clock.after(10, () => {
      fired.push(`a at ${clock.wallNow()}`)
      clock.after(5, () => fired.push(`c at ${clock.wallNow()}`))
    })
    const cancel = clock.after(12, () => fired.push('never'))
    cancel()
    expect([clock.databaseNow(), clock.wallNow(), clock.monotonic()]).toEqual([1000, 1000, 1000])
    await clock.advance(20)
    expect(fired).toEqual(['a at 1010', 'c at 1015', 'b at 1020'])
    expect(clock.wallNow()).toBe(1020)
  })
})

function abortable(): { signal: AbortSignal; abort: (reason: Error) => void } {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    abort: (reason) => {
      controller.abort(reason)
    },
  }
}
