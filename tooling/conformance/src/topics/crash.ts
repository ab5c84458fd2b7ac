import { defineQueue, type RunHandle, type Store } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { beforeEach, describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import type { BodyLog } from '../body-log.js'
import { startChild } from '../children/start.js'
import { crashPoints, type CrashPoint } from '../crash-points.js'
import { crashBodies, crashWorkflow } from '../crash-workflow.js'
import { newBodyLog } from '../new-body-log.js'
import type { Target } from '../target.js'

const LEASE = '500ms'

// What is recorded when the process dies; during COMMIT it is one or the other.
const recordedAt: Record<CrashPoint, readonly string[] | undefined> = {
  'before-claim': [],
  'after-claim': [],
  'in-step-body': [],
  'after-body-before-checkpoint': [],
  'after-checkpoint': ['fetch'],
  'before-transaction': ['fetch'],
  'in-transaction-body': ['fetch'],
  'before-commit': ['fetch'],
  'during-commit': undefined,
  'after-commit-before-answer': ['fetch', 'book'],
  'after-last-step-before-completion': ['fetch', 'book', 'notify'],
  'after-completion-before-answer': ['fetch', 'book', 'notify'],
}

/** Processes that die: what they held is finished elsewhere, and what they recorded stands. */
export function crash(target: Target): void {
  describe('a process that dies', { timeout: 120_000 }, () => {
    beforeEach(({ skip }) => {
      skip(!target.capabilities.shared, 'this database belongs to one process')
    })
    const bench = useBench(target)

    it.for(crashPoints)('leaves its run to another: killed %s', async (point) => {
      const store = await bench.open()
      const log = newBodyLog()
      const workflow = crashWorkflow({ log, lease: LEASE, writeEffect: bench.db.writeEffect })
      const handle = await store.trigger(workflow, { n: 1 })
      const child = await startChild('crash-worker', target, bench.db, { log: log.file, lease: LEASE, point })
      expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })

      const recorded = await stepNames(handle)
      if (recordedAt[point] !== undefined) expect(recorded).toEqual(recordedAt[point])
      const worker = store.worker([workflow])
      await worker.start()
      expect(await handle.result({ timeout: '30s' })).toEqual([2, 3, 4])

      expect(await stepNames(handle)).toEqual(crashBodies)
      expect(await bench.db.query('select name from effects')).toEqual([{ name: 'booked' }])
      const here = crashBodies.map((body) => log.starts(body, process.pid))
      expect(here).toEqual(crashBodies.map((body) => (recorded.includes(body) ? 0 : 1)))
      for (const body of crashBodies) expect(log.starts(body, child.pid)).toBeLessThanOrEqual(1)
      const held = point !== 'before-claim' && point !== 'after-completion-before-answer'
      const { crashes, failures, claims } = await store.admin.messages.get(handle.id)
      const finishedByTheDead = point === 'after-completion-before-answer'
      expect({ crashes, failures }).toEqual({ crashes: held ? 1 : 0, failures: 0 })
      expect(claims).toBe(held ? 2 : 1)
      expect(log.lines().some((line) => line.pid === process.pid)).toBe(
        !finishedByTheDead && recorded.length < crashBodies.length,
      )
    })

    it('leaves its message to another, which counts as a crash and not as an attempt', async () => {
      const store = await bench.open()
      const log = newBodyLog()
      const queue = defineQueue<Poison>('poisoned', { lease: LEASE })
      const id = await store.producer(queue).enqueue({ name: 'a', kills: true })
      const child = await startChild('poison-worker', target, bench.db, settings(log, 5))
      expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })

      const seen: { attempt: number; crashes: number }[] = []
      const worker = store.worker([
        queue.handler(({ attempt, crashes }) => {
          seen.push({ attempt, crashes })
        }),
      ])
      await worker.start()
      await finished(store, [id])
      expect(seen).toEqual([{ attempt: 1, crashes: 1 }])
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', failures: 0, crashes: 1 })
      expect(log.starts('a', child.pid)).toBe(1)
    })

    it('takes a poison message for a dead letter in the end, and no other', async () => {
      const store = await bench.open()
      const log = newBodyLog()
      const maxCrashes = 3
      const producer = store.producer(defineQueue<Poison>('poisoned', { lease: LEASE, maxCrashes }))
      const poison = await producer.enqueue({ name: 'poison', kills: true }, { priority: 1 })
      const others = await producer.enqueueMany(['a', 'b', 'c', 'd'].map((name) => ({ name, kills: false })))
      const done = finished(store, [poison, ...others]).then(() => 'all is done')
      let died = 0
      for (;;) {
        const child = await startChild('poison-worker', target, bench.db, settings(log, maxCrashes))
        if ((await Promise.race([child.exited, done])) === 'all is done') {
          child.kill()
          break
        }
        died++
      }
      expect(died).toBe(maxCrashes)
      expect(log.starts('poison')).toBe(maxCrashes)
      expect(await store.admin.dead.get(poison)).toMatchObject({
        crashes: maxCrashes,
        failures: 0,
        error: { code: 'MAX_CRASHES' },
      })
      for (const id of others) {
        expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', failures: 0 })
      }
    })
  })
}

interface Poison {
  readonly name: string
  readonly kills: boolean
}

function settings(log: BodyLog, maxCrashes: number): object {
  return { log: log.file, lease: LEASE, maxCrashes, concurrency: 10 }
}

async function finished(store: Store, ids: readonly string[]): Promise<void> {
  await eventually(
    'every message to be finished',
    async () => {
      const messages = await Promise.all(ids.map((id) => store.admin.messages.get(id)))
      return messages.every((message) => message.finishedAt !== undefined)
    },
    { timeoutMs: 90_000, everyMs: 50 },
  )
}

async function stepNames(handle: RunHandle): Promise<string[]> {
  return (await handle.steps()).map((step) => step.name)
}
