import type { QueueMetrics } from '@pgqrs/core'
import { expect, it } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

it('creates, lists, pauses and resumes a queue', async () => {
  await installedProject()
  expect(await json('queue', 'create', 'emails')).toEqual({ queue: 'emails' })
  expect(await json('queue', 'pause', 'emails')).toMatchObject({
    name: 'emails',
    kind: 'queue',
    pausedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  const [paused] = await json<QueueMetrics[]>('queue', 'list')
  expect(paused).toEqual({
    queue: 'emails',
    kind: 'queue',
    isPaused: true,
    ready: 0,
    delayed: 0,
    leased: 0,
    paused: 0,
    archived: 0,
    dead: 0,
    oldestReadyMs: null,
  })
  expect((await pgqrs(['queue', 'resume', 'emails'])).stdout).toBe('Queue emails is open.\n')
  expect(await json('queue', 'list')).toMatchObject([{ isPaused: false }])
})

it('shows a table of the queues', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueueMany([1, 2, 3], { each: { delay: '1h' } })
  await store.admin.queues.create('reports')
  const { stdout } = await pgqrs(['queue', 'list'])
  expect(stdout.trimEnd().split('\n')).toEqual([
    'NAME     KIND   STATE  READY  DELAYED  LEASED  PAUSED  ARCHIVED  DEAD  OLDEST READY',
    'emails   queue  open       0        3       0       0         0     0',
    'reports  queue  open       0        0       0       0         0     0',
  ])
})

it('says the nearest name when a queue is unknown', async () => {
  await installedProject()
  await pgqrs(['queue', 'create', 'emails'])
  for (const command of ['pause', 'resume']) {
    const { code, stderr } = await pgqrs(['queue', command, 'emials'])
    expect(stderr).toBe('error [NOT_FOUND] There is no queue "emials". Did you mean "emails"?\n')
    expect(code).toBe(1)
  }
})

it('purges only what was named, and says how many', async () => {
  const store = await installedProject()
  const producer = store.producer('emails')
  await producer.enqueueMany([1, 2, 3])
  const [first, second] = await store.consumer('emails').dequeue({ limit: 2 })
  await first!.archive()
  await second!.fail(new Error('no'))
  expect(await json('queue', 'purge', 'emails', '--yes', '--what', 'archived')).toEqual({
    queue: 'emails',
    what: 'archived',
    removed: 1,
  })
  expect(await store.admin.metrics('emails')).toMatchObject({ ready: 1, archived: 0, dead: 1 })
  const { stdout } = await pgqrs(['queue', 'purge', 'emails', '--yes', '--what', 'all'])
  expect(stdout).toBe('Removed 2 messages of queue emails.\n')
})

it('shows progress of a long purge on a terminal, and takes it away again', async () => {
  const store = await installedProject()
  for (let i = 0; i < 3; i++) await store.producer('emails').enqueueMany(Array<number>(1000).fill(i))
  const { stdout, stderr } = await pgqrs(['queue', 'purge', 'emails', '--yes'], { columns: 120 })
  expect(stdout).toContain('Removed 3000 messages')
  const clear = '\r\u001b[K'
  expect(stderr.split(clear).at(1)).toMatch(/^removed [123]000 messages$/)
  expect(stderr.endsWith(clear)).toBe(true)
})

it('deletes an empty queue, and a full one only by force', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueue(1)
  const refused = await pgqrs(['queue', 'delete', 'emails', '--yes'])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(await pgqrs(['queue', 'delete', 'emails', '--dry-run'])).toEqual(refused)
  expect(refused.stderr).toContain(
    'error [INVALID_STATE] Queue emails has 1 unfinished message. Purge it first, or give --force.',
  )
  expect(await json('queue', 'delete', 'emails', '--yes', '--force')).toEqual({
    queue: 'emails',
    deleted: true,
  })
  expect(await json('queue', 'list')).toEqual([])
})

it('refuses a bad name, a bad choice and a missing one with 2', async () => {
  await installedProject()
  expect(await pgqrs(['queue', 'create', '"; drop table'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error \[INVALID_ARGUMENT\] .* is not a queue name: .*\n$/),
  })
  expect(await pgqrs(['queue', 'purge', 'emails', '--what', 'everything', '--yes'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("error [USAGE] option '--what <what>' argument 'everything' is invalid"),
  })
  expect(await pgqrs(['queue', 'pause'])).toMatchObject({
    code: 2,
    stderr: "error [USAGE] missing required argument 'name'\n",
  })
})
