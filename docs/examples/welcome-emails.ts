// A queue: a validated payload, delivery at least once, retries with back-off, a dead letter and its replay.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, defineQueue } from '@pgqrs/core'
import { z } from 'zod'

const store = await connect(process.argv[2] ?? ':memory:')
await store.admin.install()

const emails = defineQueue('welcome_emails', {
  payload: z.object({ to: z.string().includes('@'), name: z.string() }),
  retry: { maxAttempts: 2, backoff: 'fixed', delay: '50ms' },
})

// Enqueueing. A key makes the second call find the message of the first.
const producer = store.producer(emails)
const first = await producer.enqueue({ to: 'ada@example.com', name: 'Ada' }, { key: 'user-1' })
const again = await producer.enqueue({ to: 'ada@example.com', name: 'Ada' }, { key: 'user-1' })
console.log('the same message:', first === again)

await producer.enqueueMany([
  { to: 'bob@example.com', name: 'Bob' },
  { to: 'eve@bounces.example', name: 'Eve' },
])

// What does not fit the schema is refused before anything is sent to the database.
await producer.enqueue({ to: 'nobody', name: 'Nobody' }).catch((error: unknown) => {
  console.log('refused:', (error as Error).name)
})

// Working. When the handler returns, the message is archived; when it throws, it is tried again.
const inbox: string[] = []
let mailServerIsUp = false
const worker = store.worker(
  [
    emails.handler((message) => {
      const { to, name } = message.payload
      if (to.endsWith('@bounces.example') && !mailServerIsUp) throw new Error('mail server is down')
      inbox.push(`Welcome, ${name}!`)
    }),
  ],
  { concurrency: 5 },
)
await worker.start()
await until(async () => (await store.admin.metrics(emails.name)).dead === 1)
console.log('sent:', inbox.toSorted().join(' '))

// Two attempts failed, so Eve's message is a dead letter: kept, with the error, until somebody replays it.
const [dead] = (await store.admin.dead.list({ queue: emails.name })).items
console.log('dead letter:', (dead?.error as Error).message)

mailServerIsUp = true
console.log('replayed:', await store.admin.dead.replayAll(emails.name))
await until(() => inbox.length === 3)
console.log('sent:', inbox.at(-1))

await worker.stop()
await store.close()

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20)
}
