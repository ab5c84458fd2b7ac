import { defineQueue } from '@pgqrs/core'
import { expect, it, onTestFinished } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

it('shows counts, queues and workers', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueueMany([1, 2, 3])
  const [message] = await store.consumer('emails').dequeue({ limit: 1 })
  await message!.archive()
  const worker = store.worker([defineQueue('reports').handler(async () => undefined)], { name: 'reporter' })
  await worker.start()
  onTestFinished(() => worker.stop())
  expect(await json('status')).toEqual({
    target: 'sqlite app.db (from PGQRS_DSN)',
    stats: expect.objectContaining({ queues: 2, workflows: 0, ready: 2, archived: 1, dead: 0 }),
    queues: [
      expect.objectContaining({ queue: 'emails', ready: 2, archived: 1, oldestReadyMs: expect.any(Number) }),
      expect.objectContaining({ queue: 'reports', ready: 0 }),
    ],
    workers: expect.arrayContaining([expect.objectContaining({ name: 'reporter', health: 'healthy' })]),
  })
  const { stdout } = await pgqrs(['status'])
  expect(stdout).toMatch(
    /^sqlite app\.db \(from PGQRS_DSN\), schema version \d+\n2 queues, 0 workflows: 2 ready, /,
  )
  expect(stdout).toMatch(/^emails +queue +open +2 /m)
  expect(stdout).toMatch(/ reporter +\S+ +\w+ +healthy /)
})

it('fits a narrow terminal and keeps what has to be copied', async () => {
  const store = await installedProject()
  const id = await store.producer('a-queue-with-a-rather-long-name').enqueue({ text: 'x'.repeat(300) })
  const { stdout } = await pgqrs(['message', 'list'], { columns: 90 })
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  // eslint-disable-next-line no-control-regex -- colours take no room
  for (const line of lines) expect(line.replace(/\u001b\[\d+m/g, '').length).toBeLessThanOrEqual(90)
  expect(stdout).toContain(id)
  expect(stdout).toContain('…')
  expect((await pgqrs(['message', 'list'])).stdout).toContain('a-queue-with-a-rather-long-name')
})

it('uses colours on a terminal only, and not when somebody says no', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const escape = '\u001b['
  expect((await pgqrs(['queue', 'list'], { columns: 100 })).stdout).toContain(escape)
  expect((await pgqrs(['queue', 'list', '--no-color'], { columns: 100 })).stdout).not.toContain(escape)
  expect((await pgqrs(['queue', 'list'])).stdout).not.toContain(escape)
})
