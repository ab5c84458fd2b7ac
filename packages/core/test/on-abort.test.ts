import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { delay, systemClock } from '../src/clock.js'
import { onAbort } from '../src/on-abort.js'

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

it('gives a signal one listener for any number of calls, and none when they are over', () => {
  const controller = new AbortController()
  const { signal } = controller
  const forgets = Array.from({ length: 100 }, () => onAbort(signal, () => undefined))
  expect(listeners(signal)).toBe(1)
  for (const forget of forgets) forget()
  expect(listeners(signal)).toBe(0)
})

it('calls back everybody who has not taken it back, once each', () => {
  const controller = new AbortController()
  const told: string[] = []
  const note = (): void => void told.push('twice given')
  onAbort(controller.signal, note)
  onAbort(controller.signal, note)
  onAbort(controller.signal, () => told.push('taken back'))()
  onAbort(controller.signal, () => told.push('last'))
  controller.abort()
  expect(told).toEqual(['twice given', 'twice given', 'last'])
})

it('serves waits that follow one signal', async () => {
  const controller = new AbortController()
  const waits = Array.from({ length: 50 }, () => delay(systemClock, 60_000, { signal: controller.signal }))
  expect(listeners(controller.signal)).toBe(1)
  controller.abort(new Error('enough'))
  const ends = await Promise.allSettled(waits)
  expect(new Set(ends.map((end) => end.status))).toEqual(new Set(['rejected']))
})
