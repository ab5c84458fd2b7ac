// What an operator does: look at counts, pause a queue, suspend and resume a worker, purge, verify.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, defineQueue } from '@pgqrs/core'

const store = await connect(process.argv[2] ?? ':memory:')
const { admin } = store
await admin.install()
const { ok, version } = await admin.verify()
console.log('verified:', ok, 'schema version:', version)

const thumbnails = defineQueue<{ image: number }>('thumbnails')
const producer = store.producer(thumbnails)
await producer.enqueueMany([{ image: 1 }, { image: 2 }, { image: 3 }])

// Nothing is claimed from a paused queue. Enqueueing goes on.
await admin.queues.pause(thumbnails.name)
const worker = store.worker([thumbnails.handler(() => undefined)], {
  name: 'resizer',
  // Removes what finished long ago, in small batches, while the worker runs.
  retention: { archived: '30d', dead: '90d' },
})
await worker.start()
console.log('while paused, ready:', (await admin.metrics(thumbnails.name)).ready)
await admin.queues.resume(thumbnails.name)
await until(async () => (await admin.metrics(thumbnails.name)).archived === 3)

// From any process, by the id in the list of workers. A suspended worker holds on to its process, not to work.
const [resizer] = (await admin.workers.list()).filter(({ name }) => name === 'resizer')
if (resizer === undefined) throw new Error('the worker is not listed')
console.log('worker:', resizer.status, resizer.health)
await admin.workers.suspend(resizer.id)
await until(() => worker.status === 'suspended')
await admin.workers.resume(resizer.id)
await until(() => worker.status === 'polling')
await admin.workers.interrupt(resizer.id)
console.log('the worker was', await worker.stopped)

const { archived, dead, workers } = await admin.stats()
console.log('archived:', archived, 'dead:', dead, 'stopped workers:', workers.byStatus.stopped)
console.log('purged:', await admin.queues.purge(thumbnails.name, 'archived'))
await admin.queues.delete(thumbnails.name)

await store.close()

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20)
}
