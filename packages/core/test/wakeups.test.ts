import { describe, expect, it, vi } from 'vitest'
import type { Driver, WakeChannel } from '../src/driver.js'
import { Wakeups } from '../src/store/wakeups.js'
import { TestClock } from '../src/testing.js'

interface Channel extends WakeChannel {
  hear(topics: readonly string[]): void
  prove(works: boolean): void
  readonly sent: string[][]
  readonly stop: ReturnType<typeof vi.fn>
}

function channel(fails: { listen?: Error; notify?: Error } = {}): Channel {
  let heard: ((topics: readonly string[]) => void) | undefined
  let proved: ((works: boolean) => void) | undefined
  const sent: string[][] = []
  const stop = vi.fn(() => Promise.resolve())
  return {
    sent,
    stop,
    hear: (topics) => heard?.(topics),
    prove: (works) => proved?.(works),
    listen: (onHeard, onProved) => {
      if (fails.listen !== undefined) return Promise.reject(fails.listen)
      heard = onHeard
      proved = onProved
      return Promise.resolve(stop)
    },
    notify: (topics) => {
      sent.push([...topics])
      return fails.notify === undefined ? Promise.resolve() : Promise.reject(fails.notify)
    },
  }
}

function wakeups(wake: Channel | undefined, kind: 'push' | 'watch' | 'none' = 'push'): [Wakeups, TestClock] {
  const clock = new TestClock()
  const driver = {
    capabilities: { wake: kind },
    ...(wake === undefined ? {} : { wake }),
  } as unknown as Driver
  return [new Wakeups(driver, clock), clock]
}

describe('a hint', () => {
  it('reaches those in this process who wait for its topic, at once and each once', () => {
    const [hints] = wakeups(undefined, 'none')
    const mails = vi.fn()
    const both = vi.fn()
    const other = vi.fn()
    hints.on(['queue:mails'], mails)
    const off = hints.on(['queue:mails', 'done:mails'], both)
    hints.on(['queue:other'], other)
    hints.hint(['queue:mails', 'done:mails'])
    expect([mails, both, other].map((callback) => callback.mock.calls.length)).toEqual([1, 1, 0])
    off()
    hints.hint(['queue:mails'])
    expect([mails, both, other].map((callback) => callback.mock.calls.length)).toEqual([2, 1, 0])
  })

  it('goes to other processes at once, and what follows in a burst goes together', async () => {
    const wake = channel()
    const [hints, clock] = wakeups(wake)
    hints.hint(['queue:a'])
    expect(wake.sent).toEqual([['queue:a']])
    for (let i = 0; i < 100; i++) hints.hint(['queue:a', i % 2 === 0 ? 'queue:b' : 'done:b'])
    expect(wake.sent).toHaveLength(1)
    await clock.advance(10)
    expect(wake.sent).toEqual([['queue:a'], ['queue:a', 'queue:b', 'done:b']])
    await clock.advance(1000)
    expect(wake.sent).toHaveLength(2)
    hints.hint(['queue:a'])
    expect(wake.sent).toHaveLength(3)
  })

  it('is not sent where the others see every write themselves', async () => {
    const wake = channel()
    const [hints, clock] = wakeups(wake, 'watch')
    hints.hint(['queue:a'])
    await clock.advance(1000)
    expect(wake.sent).toEqual([])
  })

  it('from another process reaches those who wait for its topic; an unclear one reaches all', async () => {
    const wake = channel()
    const [hints] = wakeups(wake)
    const mails = vi.fn()
    const other = vi.fn()
    hints.on(['queue:mails'], mails)
    hints.on(['queue:other'], other)
    await hints.listen()
    wake.hear(['queue:mails', 'queue:nobody'])
    expect([mails.mock.calls.length, other.mock.calls.length]).toEqual([1, 0])
    wake.hear(['*'])
    expect([mails.mock.calls.length, other.mock.calls.length]).toEqual([2, 1])
  })

  it('is lost without a word when it cannot be sent', async () => {
    const wake = channel({ notify: new Error('away') })
    const [hints, clock] = wakeups(wake)
    const mails = vi.fn()
    hints.on(['queue:mails'], mails)
    hints.hint(['queue:mails'])
    hints.hint(['queue:mails'])
    await clock.advance(1000)
    expect(wake.sent).toHaveLength(2)
    expect(mails).toHaveBeenCalledTimes(2)
    await hints.close()
  })
})

describe('listening', () => {
  it('is done once, and says when hints are known to arrive and when no longer', async () => {
    const wake = channel()
    const listen = vi.spyOn(wake, 'listen')
    const [hints] = wakeups(wake)
    const changes: boolean[] = []
    const off = hints.onProved(() => changes.push(hints.proved))
    expect(hints.proved).toBe(false)
    await Promise.all([hints.listen(), hints.listen()])
    expect(listen).toHaveBeenCalledTimes(1)
    wake.prove(true)
    wake.prove(false)
    off()
    wake.prove(true)
    expect(changes).toEqual([true, false])
    expect(hints.proved).toBe(true)
  })

  it('that cannot be had leaves polling', async () => {
    const [hints] = wakeups(channel({ listen: new Error('no LISTEN here') }))
    await hints.listen()
    expect(hints.proved).toBe(false)
    await hints.close()
  })

  it('has nothing to do without a channel', async () => {
    const [hints] = wakeups(undefined, 'none')
    await hints.listen()
    expect(hints.proved).toBe(false)
  })
})

describe('close', () => {
  it('sends what was gathered, stops listening, and calls nobody any more', async () => {
    const wake = channel()
    const [hints, clock] = wakeups(wake)
    const mails = vi.fn()
    hints.on(['queue:mails'], mails)
    await hints.listen()
    hints.hint(['queue:a'])
    hints.hint(['queue:b'])
    await hints.close()
    expect(wake.sent).toEqual([['queue:a'], ['queue:b']])
    expect(wake.stop).toHaveBeenCalledTimes(1)
    wake.hear(['queue:mails'])
    expect(mails).not.toHaveBeenCalled()
    hints.hint(['queue:c'])
    await clock.advance(1000)
    expect(wake.sent).toHaveLength(2)
    await hints.listen()
  })
})
