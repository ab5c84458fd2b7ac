import { defineQueue, type LeasedMessage } from '@pgqrs/core'
import { eventually, type ChildHandle } from '@pgqrs/test-database'
import { beforeEach, describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { startChild, told } from '../children/start.js'
import type { CrashPoint } from '../crash-points.js'
import type { Row, Target } from '../target.js'
import { zombieWorkflow } from '../zombie-workflow.js'

const LEASE = '500ms'
const TRIES = ['extend', 'archive', 'release', 'delete', 'fail', 'archiveMany']

// Where the process stands still; what it does first when it goes on is what must have no effect.
const stops: readonly (readonly [CrashPoint, string])[] = [
  ['in-step-body', 'a body'],
  ['after-body-before-checkpoint', 'recording a step'],
  ['before-transaction', 'a transactional step'],
  ['after-last-step-before-completion', 'completing the run'],
]

/** Processes that stand still past their leases and go on: they change nothing. */
export function zombie(target: Target): void {
  describe('a process that stands still past its lease and goes on', { timeout: 120_000 }, () => {
    beforeEach(({ skip }) => {
      skip(!target.capabilities.shared, 'this database belongs to one process')
    })
    const bench = useBench(target)

    it.for(['holds', 'has archived'] as const)(
      'can do nothing to messages that somebody else %s',
      { timeout: 60_000 },
      async (others) => {
        const store = await bench.open()
        const queue = defineQueue<number>('haunted')
        await store.producer(queue).enqueueMany([1, 2, 3, 4, 5])
        const child = await startChild('zombie-consumer', target, bench.db, { lease: LEASE })
        await child.waitFor('holding', 30_000)

        const consumer = store.consumer(queue)
        const held: LeasedMessage<number>[] = []
        await eventually('the leases to lapse', async () => {
          held.push(...(await consumer.dequeue({ limit: 10, lease: '1h' })))
          return held.length === 5
        })
        expect(held.map((message) => message.crashes)).toEqual([1, 1, 1, 1, 1])
        if (others === 'has archived') await Promise.all(held.map((message) => message.archive('the holder')))
        const before = await messages()
        child.kill('SIGCONT')
        const outcomes = told<Record<string, string>>(await child.waitFor('outcomes', 30_000))
        expect(outcomes).toEqual(Object.fromEntries(TRIES.map((name) => [name, 'LEASE_LOST'])))
        expect(await messages()).toEqual(before)

        if (others === 'holds') await Promise.all(held.map((message) => message.archive('the holder')))
        for (const { id } of held) {
          expect(await store.admin.messages.get(id)).toMatchObject({
            status: 'success',
            output: 'the holder',
          })
        }
        expect(await child.exited).toEqual({ code: 0, signal: null })
      },
    )

    it.for(stops)(
      'cannot go on with a run that somebody else holds, from %s: %s',
      { timeout: 60_000 },
      ([point]) => haunt(point, 'holds'),
    )

    it.for(stops)(
      'cannot change a run that somebody else finished, from %s: %s',
      { timeout: 60_000 },
      ([point]) => haunt(point, 'finishes'),
    )

    it(
      'cannot commit a transactional step the server has given up',
      { timeout: 60_000 },
      async ({ skip }) => {
        const { oneWriter } = target.capabilities
        skip(oneWriter, 'an open transaction holds the only write lock, so nobody can take over')
        await haunt('in-transaction-body', 'finishes')
      },
    )

    async function haunt(point: CrashPoint, others: 'holds' | 'finishes'): Promise<void> {
      // The holder's own heartbeats would prolong its lease, which must stay as it is.
      const store = await bench.open({ heartbeatInterval: '1h' })
      const gate = new Gate()
      if (others === 'finishes') gate.open()
      const surroundings = { who: 'holder', lease: '3h', writeEffect: bench.db.writeEffect }
      const workflow = zombieWorkflow({ ...surroundings, before: () => gate.pass() })
      const handle = await store.trigger(workflow)
      const child = await startChild('zombie-worker', target, bench.db, { lease: LEASE, point })
      await child.waitFor('stopping', 30_000)

      await store.worker([workflow]).start()
      await gate.reached
      if (others === 'finishes') await handle.result({ timeout: '30s' })
      const before = await everything()
      child.kill('SIGCONT')
      if (point === 'in-step-body')
        expect(told(await child.waitFor('aborted', 30_000))).toEqual({ leaseLost: true })
      expect(told(await child.waitFor('event', 30_000))).toEqual({ type: 'lease_lost' })
      expect(await everything()).toEqual(before)

      gate.open()
      expect(await handle.result({ timeout: '30s' })).toBe('holder')
      // What the zombie had recorded while it still held the run stands.
      const recordedByZombie = point === 'before-transaction' || point === 'in-transaction-body'
      const finishing = point === 'after-last-step-before-completion'
      expect((await handle.steps()).map(({ name, output }) => [name, output])).toEqual([
        ['look', recordedByZombie || finishing ? 'zombie' : 'holder'],
        ['book', finishing ? 'zombie' : 'holder'],
      ])
      expect(await bench.db.query('select name from effects')).toEqual([
        { name: finishing ? 'zombie' : 'holder' },
      ])
      await end(child)
    }

    async function end(child: ChildHandle): Promise<void> {
      child.kill('SIGTERM')
      expect(await child.exited).toEqual({ code: 0, signal: null })
    }

    function messages(): Promise<Row[]> {
      return bench.db.query('select * from pgqrs_messages order by id')
    }

    async function everything(): Promise<Row[][]> {
      return Promise.all([
        messages(),
        bench.db.query('select * from pgqrs_steps order by run_id, name'),
        bench.db.query('select * from effects'),
      ])
    }
  })
}

/** Lets nobody pass until it is opened, and tells when somebody has come to it. */
class Gate {
  readonly reached: Promise<void>
  private readonly opened: Promise<void>
  private tellReached!: () => void
  open!: () => void

  constructor() {
    this.reached = new Promise((resolve) => (this.tellReached = resolve))
    this.opened = new Promise((resolve) => (this.open = resolve))
  }

  pass(): Promise<void> {
    this.tellReached()
    return this.opened
  }
}
