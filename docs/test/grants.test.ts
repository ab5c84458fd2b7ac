import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defineWorkflow, PermissionError } from '@pgqrs/core'
import { connect } from '@pgqrs/postgres'
import { readPages } from './markdown.js'
import { Sandbox } from './sandbox.js'

// The guide says which rights a role needs: with those and no others, its work must be possible.
describe('the grants of the guide to operating', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = new Sandbox()
    const store = await connect(await sandbox.postgresDsn())
    await store.admin.install()
    await store.close()
    const guide = readPages().find(({ path }) => path === 'docs/guides/operating.md')
    for (const { language, code } of guide?.blocks ?? []) if (language === 'sql') await sandbox.runSql(code)
  })
  afterAll(() => sandbox.remove())

  const greet = defineWorkflow('greet', async (run, name: string) =>
    run.step('compose', () => `Hello ${name}`),
  )

  async function as(role: string): Promise<string> {
    const name = sandbox.roleName(role)
    const sql = postgres(await sandbox.postgresDsn(), { max: 1, onnotice: () => {} })
    await sql.unsafe(`alter role ${name} login password 'secret'`)
    await sql.end()
    const dsn = new URL(await sandbox.postgresDsn())
    dsn.username = name
    dsn.password = 'secret'
    return dsn.href
  }

  it('let a producer enqueue and trigger, and a worker do the rest', { timeout: 60_000 }, async () => {
    const producer = await connect(await as('app_producer'))
    const worker = await connect(await as('app_worker'))
    try {
      await producer.producer<number>('numbers').enqueueMany([1, 2], { each: (n) => ({ key: String(n) }) })
      await producer.producer<number>('numbers').enqueue(1, { key: '1' })
      const { id } = await producer.trigger(greet, 'Ada', { key: 'ada' })

      await worker.worker([greet], { retention: { archived: 0 } }).start()
      expect(await worker.run(greet, id).result({ timeout: '20s' })).toBe('Hello Ada')
      const [message] = await worker.consumer<number>('numbers').dequeue({ limit: 1 })
      await message?.fail(new Error('no'))
      expect(await worker.admin.dead.replayAll('numbers')).toBe(1)
      expect(await worker.admin.queues.purge('numbers', 'all')).toBe(2)
    } finally {
      await Promise.all([producer.close(), worker.close()])
    }
  })

  it('do not let a producer claim', { timeout: 60_000 }, async () => {
    const store = await connect(await as('app_producer'))
    try {
      await expect(store.consumer('numbers').dequeue()).rejects.toThrow(PermissionError)
    } finally {
      await store.close()
    }
  })
})
