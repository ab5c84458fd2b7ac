import { expect, it } from 'vitest'
import type { Statement } from '../src/db/statement.js'
import { handOver, markClaimed, StandingClaims, type Brought } from '../src/store/standing-claims.js'

const statement: Statement = { sql: 'claim', parameters: [], reads: false }

/** A claim that writes down what it is told. */
function claimFor(queues: readonly string[], { wanted = true, limit = 10 } = {}) {
  const told: (Brought | undefined)[] = []
  return {
    told,
    queues,
    limit,
    bind: () => (wanted ? statement : undefined),
    answered: (brought: Brought | undefined) => void told.push(brought),
  }
}

it('goes along with the first enqueue into one of its queues, once', () => {
  const standing = new StandingClaims()
  const claim = claimFor(['mails', 'bills'])
  const withdraw = standing.offer(claim)
  expect(standing.take(new Set(['other']))).toEqual([])
  expect(standing.take(new Set(['bills'])).map((one) => one.claim)).toEqual([claim])
  expect(standing.take(new Set(['bills']))).toEqual([])
  expect(withdraw()).toBe(false)
})

it('does not go along once it is withdrawn', () => {
  const standing = new StandingClaims()
  const withdraw = standing.offer(claimFor(['mails']))
  expect(withdraw()).toBe(true)
  expect(standing.take(new Set(['mails']))).toEqual([])
})

it('goes alone for a queue that several wait for, those who have waited longest first', () => {
  const standing = new StandingClaims()
  const claims = [claimFor(['mails']), claimFor(['mails']), claimFor(['bills'])]
  for (const claim of claims) standing.offer(claim)
  const both = new Set(['mails', 'bills'])
  expect(standing.take(both).map((one) => one.claim)).toEqual([claims[0], claims[2]])
  expect(standing.take(both).map((one) => one.claim)).toEqual([claims[1]])
})

it('is told when it is not wanted any more, and leaves its place to another', () => {
  const standing = new StandingClaims()
  const [suspended, ready] = [claimFor(['mails'], { wanted: false }), claimFor(['mails'])]
  standing.offer(suspended)
  standing.offer(ready)
  expect(standing.take(new Set(['mails'])).map((one) => one.claim)).toEqual([ready])
  expect(suspended.told).toEqual([undefined])
  expect(ready.told).toEqual([])
})

it.for([
  ['nobody else has to be woken for what a claim has emptied', 3, false, true],
  ['others are woken when it came back full', 2, false, false],
  ['others are woken when nobody knows how often it was executed', 3, true, false],
] as const)('%s', ([_, limit, repeated, claimed]) => {
  const standing = new StandingClaims()
  const claim = claimFor(['mails'], { limit })
  standing.offer(claim)
  const leaving = standing.take(new Set(['mails']))
  const rows = [{ id: 'a' }, { id: 'b' }]
  const emptied = handOver(leaving, [rows], repeated)
  const answers = Array.from({ length: 3 }, () => ({ row: undefined, repeated }))
  // The second is for another queue, the third is not due yet.
  const told = markClaimed(answers, ['mails', 'bills', undefined], emptied)
  expect(told.map((answer) => answer.claimed === true)).toEqual([claimed, false, false])
  expect(claim.told).toEqual([{ rows, repeated }])
})
