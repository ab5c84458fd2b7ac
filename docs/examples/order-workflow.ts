// A workflow: a step, a transactional step, a sleep, and a pause that waits for a person.
import { connect, defineWorkflow } from '@pgqrs/core'
import { execute } from './either-database.js'

const store = await connect(process.argv[2] ?? ':memory:')
await store.admin.install()

interface Order {
  readonly id: string
  readonly cents: number
}

const fulfilOrder = defineWorkflow('fulfil_order', async (run, order: Order) => {
  // The body of a step runs at least once. A payment service that knows idempotency keys makes one charge of it.
  const charge = await run.step('charge', ({ idempotencyKey }) => chargeCard(order, idempotencyKey))

  // The row and the checkpoint of this step are one commit: the row is there exactly once.
  await run.transaction('record', async (tx) => {
    await execute(tx, 'create table if not exists example_payments (order_id text, charge text)', [])
    await execute(tx, 'insert into example_payments values ($1, $2)', [order.id, charge])
  })

  // Holds no worker, however long it is.
  await run.sleep('cool_down', '1200ms')

  // Waits until somebody resumes it, for a day at most.
  const approval = await run.pause<{ by: string }>('approval', { timeout: '1d' })
  if (!approval.resumed) return { shipped: false, by: undefined }
  return { shipped: true, by: approval.value.by }
})

const worker = store.worker([fulfilOrder], {
  onEvent: (event) => {
    if (event.type === 'step_recorded') console.log('recorded', event.step)
  },
})
await worker.start()

// A trigger with a key is idempotent: a second call with the same input finds the run of the first.
const order: Order = { id: 'o-1', cents: 4200 }
const handle = await store.trigger(fulfilOrder, order, { key: order.id })
const same = await store.trigger(fulfilOrder, order, { key: order.id })
console.log('the same run:', handle.id === same.id)

// A resume that comes before the run gets to its pause is kept for it.
await handle.resume('approval', { by: 'Grace' })
console.log('result:', JSON.stringify(await handle.result({ timeout: '20s' })))

for (const step of await handle.steps()) console.log(`${step.kind} ${step.name}: ${step.status}`)

await worker.stop()
await store.close()

function chargeCard(charged: Order, idempotencyKey: string): string {
  return `charge-of-${charged.cents}-for-${idempotencyKey.split('/').at(-1)}`
}
