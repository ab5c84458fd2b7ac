import { expect, it } from 'vitest'
import { isForLife } from '../src/processes/beginning.js'

it('a client that was killed and came back makes no call that it may have made before', () => {
  const began = 1000
  const reborn = began + 24_300
  expect(isForLife(began + 23_930, reborn, reborn + 200)).toBe(false)
  expect(isForLife(began + 24_290, reborn, reborn + 200)).toBe(false)
  expect(isForLife(began + 24_310, reborn, reborn + 200)).toBe(true)
})

it('a client that is there from the beginning makes every call, but those of a second in which it was frozen', () => {
  const began = 1000
  const born = began - 300
  expect(isForLife(began, born, began + 20)).toBe(true)
  expect(isForLife(began + 5000, born, began + 5900)).toBe(true)
  expect(isForLife(began + 5000, born, began + 6100)).toBe(false)
})
