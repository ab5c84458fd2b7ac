import { defineQueue, type WorkerInfo, type Store } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

async function startWorker(store: Store): Promise<string> {
  const worker = store.worker([defineQueue('emails').handler(async () => undefined)], {
    name: 'mailer',
  })
  await worker.start()
  onTestFinished(() => worker.stop())
  const [listed] = await json<WorkerInfo[]>('worker', 'list')
  return listed!.id
}

const statusOf = async (store: Store, id: string): Promise<string> =>
  (await store.admin.workers.get(id)).status

it('lists workers with their health', async () => {
  const store = await installedProject()
  expect((await pgqrs(['worker', 'list'])).stdout).toBe('No workers are registered.\n')
  const id = await startWorker(store)
  expect(await json('worker', 'list')).toEqual([
    {
      id,
      name: 'mailer',
      host: expect.any(String),
      pid: process.pid,
      queues: ['emails'],
      status: expect.stringMatching(/^(ready|polling)$/),
      health: 'healthy',
      startedAt: expect.stringMatching(/Z$/),
      heartbeatAt: expect.stringMatching(/Z$/),
      heartbeatAgeMs: expect.any(Number),
      stoppedAt: null,
      held: 0,
    },
  ])
  expect((await pgqrs(['worker', 'list'])).stdout).toMatch(
    /ID +NAME +PROCESS +STATUS +HEALTH +HEARTBEAT +HELD +QUEUES\n/,
  )
})

it('suspends, resumes and interrupts a worker', async () => {
  const store = await installedProject()
  const id = await startWorker(store)
  await eventually('the worker to poll', async () => (await statusOf(store, id)) === 'polling')
  expect(await json('worker', 'suspend', id)).toMatchObject({ id, status: 'suspended' })
  expect((await pgqrs(['worker', 'resume', id])).stdout).toBe(`Worker mailer (${id}) is ready.\n`)
  await eventually('the worker to poll', async () => (await statusOf(store, id)) === 'polling')
  expect(await json('worker', 'interrupt', id)).toMatchObject({ id })
  await eventually('the worker to stop', async () => (await statusOf(store, id)) === 'stopped')
  expect(await pgqrs(['worker', 'interrupt', id])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error [INVALID_STATE]'),
  })
})

it('forgets those that are silent for long', async () => {
  const store = await installedProject()
  const id = await startWorker(store)
  expect(await json('worker', 'purge', '--yes')).toEqual({ removed: 0 })
  await pgqrs(['worker', 'interrupt', id])
  await eventually('the worker to stop', async () => (await statusOf(store, id)) === 'stopped')
  await eventually('its heartbeat to be older', async () => {
    const { removed } = await json<{ removed: number }>('worker', 'purge', '--older-than', '1ms', '--yes')
    return removed === 1
  })
  expect(await json('worker', 'list')).toEqual([])
  expect(await pgqrs(['worker', 'purge', '--older-than', 'soon', '--yes'])).toMatchObject({ code: 2 })
})

it('does not know a worker that is none', async () => {
  await installedProject()
  expect(await pgqrs(['worker', 'suspend', 'nobody'])).toMatchObject({
    code: 1,
    stderr: 'error [NOT_FOUND] There is no worker with the id "nobody".\n',
  })
})
