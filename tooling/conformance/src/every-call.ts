import { defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import type { RefusedCall } from './untouched-database.js'

/** The queue these calls use. */
export const queue = defineQueue<number>('numbers')
/** The workflow these calls use. */
export const workflow = defineWorkflow('double', (_run, n: number) => Promise.resolve(n * 2))

const AN_ID = '01900000-0000-7000-8000-000000000000'

/** One call of every kind that needs the tables. Each may be made twice. */
export function callsOf(store: Store): RefusedCall[] {
  const { admin } = store
  const run = store.run(workflow, AN_ID)
  const absent = async (call: Promise<unknown>): Promise<void> => {
    await call.catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'NOT_FOUND') throw error
    })
  }
  return [
    ['create', () => admin.queues.create('numbers')],
    ['enqueue', () => store.producer(queue).enqueue(1)],
    ['enqueueMany', () => store.producer(queue).enqueueMany([1, 2])],
    ['replace', () => store.producer(queue).enqueue(1, { key: 'k', onConflict: 'replace' })],
    ['trigger', () => store.trigger(workflow, 1)],
    ['dequeue', () => store.consumer(queue).dequeue()],
    ['result', () => absent(run.result())],
    ['peek', () => absent(run.peek())],
    ['status', () => absent(run.status())],
    ['cancel', () => absent(run.cancel())],
    ['resume', () => absent(run.resume('go'))],
    ['steps', () => absent(run.steps())],
    [
      'start',
      async () => {
        const worker = store.worker([queue.handler(() => undefined)])
        await worker.start()
        await worker.stop()
      },
    ],
    ['queues', () => admin.queues.list()],
    ['pause', () => admin.queues.pause('numbers')],
    ['resume a queue', () => admin.queues.resume('numbers')],
    ['purge', () => admin.queues.purge('numbers', 'dead')],
    ['metrics', () => admin.metrics()],
    ['stats', () => admin.stats()],
    ['messages', () => admin.messages.list()],
    ['message', () => absent(admin.messages.get(AN_ID))],
    ['archive', () => absent(admin.messages.archive(AN_ID))],
    ['dead letters', () => admin.dead.list()],
    ['replay', () => absent(admin.dead.replay(AN_ID))],
    ['runs', () => admin.runs.list()],
    ['workers', () => admin.workers.list()],
    ['purge workers', () => admin.workers.purge('1d')],
    ['reclaim', () => admin.workers.reclaim()],
  ]
}
