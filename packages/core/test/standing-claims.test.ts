import { expect, it } from 'vitest'
import { SqliteDialect } from '../src/db/dialect-sqlite.js'
import { AmbiguousCommitError } from '../src/errors.js'
import { queriesFor } from '../src/queries/index.js'
import type { Group } from '../src/store/batcher.js'
import { batchOperations } from '../src/store/operations.js'
import type { HandedMessage, NewMessage } from '../src/store/records.js'
import { StandingClaims, type Brought } from '../src/store/standing-claims.js'

const { enqueueNew, enqueueHanded, finish } = batchOperations(queriesFor(new SqliteDialect()))

/** A claim that writes down what it is told. */
function claimFor(name: string, queues: readonly string[], { wanted = true, limit = 10 } = {}) {
  const told: (Brought | undefined)[] = []
  return {
    told,
    queues: new Map(queues.map((queue) => [queue, 30_000])),
    limit,
    grant: () => (wanted ? { leaseId: `lease of ${name}`, workerId: name } : undefined),
    answered: (brought: Brought | undefined) => void told.push(brought),
  }
}

function message(id: string, queue: string, more: Partial<NewMessage> = {}): NewMessage {
  const due = { delay_ms: 0, at_ms: null, priority: 0 }
  return { id, queue, key: null, key_kept: false, payload: `"${id}"`, ...due, ...more }
}

function enqueueOf(...items: readonly NewMessage[]): Group {
  return { operation: enqueueNew, items }
}

/** Which lease each message leaves with, when any does. */
function handedOver(standing: StandingClaims, ...messages: readonly NewMessage[]) {
  const [group] = standing.handOver([enqueueOf(...messages)], enqueueHanded)?.groups ?? []
  return group && (group.items as HandedMessage[]).map(({ id, worker_id }) => [id, worker_id])
}

it('takes what comes into one of its queues, once', () => {
  const standing = new StandingClaims()
  const withdraw = standing.offer(claimFor('w', ['mails', 'bills']))
  expect(handedOver(standing, message('a', 'other'))).toBeUndefined()
  expect(handedOver(standing, message('b', 'bills'), message('c', 'other'))).toEqual([
    ['b', 'w'],
    ['c', null],
  ])
  expect(handedOver(standing, message('d', 'bills'))).toBeUndefined()
  expect(withdraw()).toBe(false)
})

it('takes nothing once it is withdrawn', () => {
  const standing = new StandingClaims()
  const withdraw = standing.offer(claimFor('w', ['mails']))
  expect(withdraw()).toBe(true)
  expect(handedOver(standing, message('a', 'mails'))).toBeUndefined()
})

it('takes nothing that is due later, or may have to wait for somebody else’s transaction', () => {
  const standing = new StandingClaims()
  standing.offer(claimFor('w', ['mails']))
  const later = [
    message('a', 'mails', { delay_ms: 1 }),
    message('b', 'mails', { at_ms: 5 }),
    message('k', 'mails', { key: 'one' }),
  ]
  expect(handedOver(standing, ...later)).toBeUndefined()
  expect(handedOver(standing, message('c', 'mails'))).toEqual([['c', 'w']])
})

it('takes the most urgent first, and leaves the rest to who has waited for a shorter time', () => {
  const standing = new StandingClaims()
  const [first, second] = [claimFor('first', ['mails'], { limit: 1 }), claimFor('second', ['mails'])]
  standing.offer(first)
  standing.offer(second)
  const urgent = message('b', 'mails', { priority: 5 })
  expect(handedOver(standing, message('a', 'mails'), urgent, message('c', 'mails'))).toEqual([
    ['a', 'second'],
    ['b', 'first'],
    ['c', 'second'],
  ])
})

it('is told when it is not wanted any more, and leaves its place to another', () => {
  const standing = new StandingClaims()
  const [suspended, ready] = [
    claimFor('suspended', ['mails'], { wanted: false }),
    claimFor('ready', ['mails']),
  ]
  standing.offer(suspended)
  standing.offer(ready)
  expect(handedOver(standing, message('a', 'mails'))).toEqual([['a', 'ready']])
  expect(suspended.told).toEqual([undefined])
  expect(ready.told).toEqual([])
})

it('is told what it was granted, and of nothing else', () => {
  const standing = new StandingClaims()
  const claim = claimFor('w', ['mails'])
  standing.offer(claim)
  const other: Group = { operation: finish, items: [] }
  const enqueued = enqueueOf(message('a', 'mails'), message('b', 'mails'))
  const handing = standing.handOver([other, enqueued], enqueueHanded)
  expect(handing?.groups[0]).toBe(other)
  const times = { vt: 2, enqueued_at: 1 }
  const row = { id: 'a', lease_id: 'lease of w', ...times }
  // Others were due before the second one.
  const refused = { id: 'b', lease_id: null, ...times }
  const answers = [row, refused].map((one) => ({ row: one, repeated: false }))
  handing?.answered([[], answers], false)
  const [brought] = claim.told
  expect(brought?.repeated).toBe(false)
  expect(brought?.rows).toEqual([
    expect.objectContaining({ id: 'a', queue: 'mails', status: 'running', payload: '"a"', claims: 1, vt: 2 }),
  ])
})

it.for([
  ['of nothing when the enqueue has failed', new Error('no'), undefined],
  [
    'to look for what it holds when nobody knows',
    new AmbiguousCommitError('?', []),
    { rows: [], repeated: true },
  ],
] as const)('is told %s', ([_, error, told]) => {
  const standing = new StandingClaims()
  const claim = claimFor('w', ['mails'])
  standing.offer(claim)
  standing.handOver([enqueueOf(message('a', 'mails'), message('b', 'mails'))], enqueueHanded)?.failed(error)
  expect(claim.told).toEqual([told])
})
