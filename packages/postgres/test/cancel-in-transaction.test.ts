import { expect, it } from 'vitest'
import { defineWorkflow } from '@pgqrs/core'
import { database } from './database.js'
import { open } from './stores.js'

// Only Postgres lets a cancel through while a transactional step is at work: SQLite has one writer. Found by
// `npm run chaos -- --store postgres --seconds 60 --seed 21`: the step after it began all the same.
it('a cancel that comes during a transactional step is obeyed after its commit', async () => {
  const dsn = await database()
  const operator = await open(dsn)
  await operator.admin.install()
  // Nothing but the answer to the checkpoint tells this worker of the cancel.
  const store = await open(dsn, { listen: false, lease: '1h', heartbeatInterval: '1h' })
  const begun: string[] = []
  const workflow = defineWorkflow('cancelled_inside', async (run) => {
    await run.transaction('book', async () => {
      begun.push('book')
      await operator.run(workflow, run.id).cancel('while it is at work')
    })
    await run.step('next', () => {
      begun.push('next')
    })
  })
  await store.worker([workflow]).start()
  const handle = await store.trigger(workflow)
  await expect(handle.result()).rejects.toThrow('while it is at work')
  expect(begun).toEqual(['book'])
  expect((await handle.steps()).map(({ name }) => name)).toEqual(['book'])
})
