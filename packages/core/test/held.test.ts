import { expect, it, vi } from 'vitest'
import { LeaseLostError } from '../src/errors.js'
import type { Claimed } from '../src/queue/claimer.js'
import type { Lease } from '../src/queue/lease.js'
import { TestClock } from '../src/testing.js'
import { Held } from '../src/worker/held.js'

const LEASE_MS = 1000

function setup(): { clock: TestClock; extend: ReturnType<typeof vi.fn<Lease['extend']>>; held: Held } {
  const clock = new TestClock()
  const extend = vi.fn<Lease['extend']>(() =>
    Promise.resolve({ expiresAt: clock.monotonic() + LEASE_MS, cancelling: false }),
  )
  const claimed = { row: { id: 'm', queue: 'q' }, lease: { extend } } as unknown as Claimed
  return { clock, extend, held: new Held(claimed, LEASE_MS, clock.monotonic(), clock) }
}

it('a renewed lease lasts from when the renewal was sent', async () => {
  const { clock, extend, held } = setup()
  await clock.advance(LEASE_MS - 1)
  await held.renew()
  expect(extend).toHaveBeenCalledExactlyOnceWith(LEASE_MS)
  await clock.advance(LEASE_MS - 1)
  held.expire()
  expect(held.cause).toBeUndefined()
  await clock.advance(1)
  held.expire()
  expect(held.cause).toBe('lease_lost')
  expect(held.switch.reason).toBeInstanceOf(LeaseLostError)
})

it('a lease that has lapsed by the clock of the process is not renewed while its handler goes on', async () => {
  const { clock, extend, held } = setup()
  await clock.advance(LEASE_MS)
  held.expire()
  await held.renew()
  expect(extend).not.toHaveBeenCalled()
})

it('a lease that the database says is lost is not renewed again', async () => {
  const { extend, held } = setup()
  extend.mockRejectedValueOnce(new LeaseLostError('somebody else was granted one', 'm'))
  await held.renew()
  expect(held.cause).toBe('lease_lost')
  await held.renew()
  expect(extend).toHaveBeenCalledTimes(1)
})

it.each(['cancelled', 'stop'] as const)('a lease is renewed until its handler is over: %s', async (cause) => {
  const { extend, held } = setup()
  held.abort(cause)
  await held.renew()
  expect(extend).toHaveBeenCalledTimes(1)
  expect(held.cause).toBe(cause)
})

it('a renewal that the database does not answer loses the lease when it must have lapsed', async () => {
  const { clock, extend, held } = setup()
  extend.mockRejectedValue(new Error('the connection broke'))
  await held.renew()
  expect(held.cause).toBeUndefined()
  await clock.advance(LEASE_MS)
  await held.renew()
  expect(held.cause).toBe('lease_lost')
})
