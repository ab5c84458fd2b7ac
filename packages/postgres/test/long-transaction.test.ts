import { expect, it, onTestFinished } from 'vitest'
import { defineWorkflow, type WorkerEvent } from '@pgqrs/core'
import { connect } from '@pgqrs/postgres'
import { database } from './database.js'

// The fence once took a lock that the heartbeat's statement waited for: one long transaction cost every other run of
// the worker its lease.
it('a transaction longer than the lease costs no run of its worker the lease', async () => {
  const store = await connect({
    dsn: await database(),
    lease: '600ms',
    heartbeatInterval: '100ms',
    pollInterval: '50ms',
  })
  onTestFinished(() => store.close())
  await store.admin.install()
  const slow = defineWorkflow('slow', (run) =>
    run.transaction('sleep', async (tx) => {
      await tx`select pg_sleep(2)`
      return 'slept'
    }),
  )
  let finish = (): void => undefined
  const patient = defineWorkflow('patient', (run) =>
    run.step('wait', () => new Promise<string>((resolve) => (finish = () => resolve('waited')))),
  )
  const events: WorkerEvent[] = []
  const worker = store.worker([slow, patient], { onEvent: (event) => events.push(event) })
  await worker.start()
  const waiting = await store.trigger(patient)
  const sleeping = await store.trigger(slow)
  expect(await sleeping.result()).toBe('slept')
  finish()
  expect(await waiting.result()).toBe('waited')
  expect(events.filter((event) => event.type === 'claimed')).toHaveLength(2)
  expect(events.filter((event) => event.type === 'lease_lost')).toEqual([])
  expect((await store.admin.runs.get(waiting.id)).claims).toBe(1)
  expect((await store.admin.runs.get(sleeping.id)).claims).toBe(1)
})
