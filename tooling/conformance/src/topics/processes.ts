import { defineQueue, defineWorkflow, type InstallReport } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { beforeEach, describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { startChild, told } from '../children/start.js'
import { newBodyLog } from '../new-body-log.js'
import type { Target } from '../target.js'

const DAY_MS = 86_400_000

/** Several processes on one database. */
export function processes(target: Target): void {
  describe('several processes', { timeout: 120_000 }, () => {
    beforeEach(({ skip }) => {
      skip(!target.capabilities.shared, 'this database belongs to one process')
    })
    const bench = useBench(target)

    it('handle each message of one backlog once', async () => {
      const store = await bench.open()
      const log = newBodyLog()
      const numbers = Array.from({ length: 2000 }, (_, n) => n)
      const start = (): ReturnType<typeof startChild> =>
        startChild('backlog-worker', target, bench.db, { log: log.file })
      const children = await Promise.all([start(), start()])
      await Promise.all(children.map((child) => child.waitFor('working', 30_000)))
      await store.producer(defineQueue<number>('backlog')).enqueueMany(numbers)
      await eventually(
        'the backlog to be handled',
        async () => (await store.admin.queues.metrics('backlog')).archived === numbers.length,
        { timeoutMs: 90_000, everyMs: 100 },
      )
      for (const child of children) child.kill('SIGTERM')
      expect(await Promise.all(children.map((child) => child.exited))).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ])
      for (const child of children) expect(await linesOf(child.lines)).toEqual(['working {}'])

      const handled = log.lines().map((line) => Number(line.body))
      expect(handled.sort((a, b) => a - b)).toEqual(numbers)
      expect(await store.admin.queues.metrics('backlog')).toMatchObject({
        ready: 0,
        delayed: 0,
        leased: 0,
        paused: 0,
        archived: numbers.length,
        dead: 0,
      })
      const sums = 'select sum(claims) as claims, sum(crashes) as crashes from pgqrs_messages'
      const [row] = await bench.db.query(sums)
      expect([Number(row?.['claims']), Number(row?.['crashes'])]).toEqual([numbers.length, 0])
    })

    it('write at the same time, and none of them fails', async () => {
      const store = await bench.open()
      const messages = 200
      const children = await Promise.all(
        ['one', 'two'].map((queue) => startChild('busy-writer', target, bench.db, { queue, messages })),
      )
      for (const child of children) {
        const report = told<{ taken: number }>(await child.waitFor('written', 90_000))
        console.info(`${target.name}, event loop of a busy writer (ms):`, report)
        expect(report.taken).toBe(messages)
        expect(await child.exited).toEqual({ code: 0, signal: null })
      }
      for (const queue of ['one', 'two']) {
        expect(await store.admin.queues.metrics(queue)).toMatchObject({
          ready: 0,
          leased: 0,
          archived: messages,
        })
      }
    })

    it('give back what they hold when they are told to end, at no attempt’s cost', async () => {
      const store = await bench.open()
      const message = await store.producer(defineQueue('kept')).enqueue('a')
      const workflow = defineWorkflow<undefined, string>('kept_run', (run) => {
        return run.step('first', () => 'never').then(() => run.step('second', () => 'elsewhere'))
      })
      const handle = await store.trigger(workflow)
      const child = await startChild('stopping-worker', target, bench.db)
      await child.waitFor('holding', 30_000)
      await child.waitFor('holding', 30_000)
      child.kill('SIGTERM')
      expect(await child.exited).toEqual({ code: 0, signal: null })

      for (const id of [message, handle.id]) {
        expect(await store.admin.messages.get(id)).toMatchObject({
          status: 'queued',
          failures: 0,
          crashes: 0,
        })
      }
      const [again] = await store.consumer(defineQueue('kept')).dequeue()
      expect(again).toMatchObject({ id: message, attempt: 1, crashes: 0 })
      await store.worker([workflow]).start()
      expect(await handle.result({ timeout: '20s' })).toBe('elsewhere')
      expect((await handle.steps()).map((step) => step.output)).toEqual(['done', 'elsewhere'])
      const workers = await store.admin.workers.list()
      expect(workers.find((worker) => worker.pid === child.pid)).toMatchObject({ status: 'stopped', held: 0 })
    })

    it.for([
      ['ahead', DAY_MS],
      ['behind', -DAY_MS],
    ] as const)('keep their leases though the clock of one is a day %s', async ([, offMs]) => {
      const store = await bench.open()
      const producer = store.producer<string>('clocked')
      const consumer = store.consumer<string>('clocked')
      const due = await producer.enqueue('due')
      const delayed = await producer.enqueue('later', { delay: '1h' })
      const child = await startChild('wrong-clock', target, bench.db, { offMs })
      const { later, held } = told<{ later: string; held: string[] }>(await child.waitFor('holding', 30_000))
      expect(held).toEqual(['due'])
      expect(await consumer.dequeue()).toEqual([])
      const { visibleAt, enqueuedAt } = await store.admin.messages.get(delayed)
      const ofChild = await store.admin.messages.get(later)
      const apart = ofChild.visibleAt.getTime() - visibleAt.getTime()
      expect(Math.abs(apart)).toBeLessThan(DAY_MS / 24)
      expect(visibleAt.getTime() - enqueuedAt.getTime()).toBe(DAY_MS / 24)
      child.kill('SIGTERM')
      expect(await child.exited).toEqual({ code: 0, signal: null })
      expect(await store.admin.messages.get(due)).toMatchObject({ status: 'success', crashes: 0 })
    })
  })

  describe('several processes on an empty database', { timeout: 120_000 }, () => {
    beforeEach(({ skip }) => {
      skip(!target.capabilities.shared, 'this database belongs to one process')
    })
    const bench = useBench(target, { installed: false })

    it.for([
      [2, 1],
      [4, 5],
    ] as const)(
      'install it, %s of them with %s stores each',
      { timeout: 120_000 },
      async ([count, stores]) => {
        const children = await Promise.all(
          Array.from({ length: count }, () => startChild('installer', target, bench.db, { stores })),
        )
        await Promise.all(children.map((child) => child.waitFor('ready', 60_000)))
        for (const child of children) child.kill('SIGUSR2')
        const reports: InstallReport[] = []
        for (const child of children) {
          reports.push(...told<InstallReport[]>(await child.waitFor('installed', 60_000)))
          expect(await child.exited).toEqual({ code: 0, signal: null })
        }
        expect(reports).toHaveLength(count * stores)
        await mustBeInstalled(reports.flatMap((report) => report.applied))
      },
    )

    it.for([1, 4, 1000])(
      'leave nothing half-made when the one that installs dies at statement %s',
      async (at) => {
        const child = await startChild('dying-installer', target, bench.db, { at })
        expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
        const store = await bench.open()
        expect(await store.admin.verify()).toMatchObject({ ok: false, version: 0 })
        for (const table of ['pgqrs_migrations', 'pgqrs_messages']) {
          await expect(async () => bench.db.query(`select * from ${table}`)).rejects.toThrow(table)
        }
        const { applied } = await store.admin.install()
        await mustBeInstalled(applied)
      },
    )

    async function mustBeInstalled(applied: readonly string[]): Promise<void> {
      const store = await bench.open()
      expect(await store.admin.verify()).toMatchObject({ ok: true, differences: [] })
      const rows = await bench.db.query('select name from pgqrs_migrations order by version')
      expect([...applied].sort()).toEqual(rows.map((row) => row['name']).sort())
    }
  })
}

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}
