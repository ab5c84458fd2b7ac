import type { MessageInfo, Page, Store } from '@pgqrs/core'
import { expect, it } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

async function fail(
  store: Store,
  queue: string,
  error: unknown = new TypeError('no such mailbox'),
): Promise<void> {
  const [message] = await store.consumer(queue).dequeue()
  await message!.fail(error)
}

it('lists and shows dead letters with their errors', async () => {
  const store = await installedProject()
  const id = await store.producer('emails').enqueue({ to: 'a' })
  await fail(store, 'emails')
  const page = await json<Page<MessageInfo>>('dead', 'list', '--queue', 'emails')
  expect(page).toMatchObject({
    items: [{ id, error: { name: 'TypeError', message: 'no such mailbox' } }],
    next: null,
  })
  expect((await pgqrs(['dead', 'list'])).stdout).toContain('TypeError: no such mailbox')
  const { stdout } = await pgqrs(['dead', 'show', id])
  expect(stdout).toMatch(/^error +TypeError: no such mailbox\n +at /m)
  expect(stdout).toMatch(/^finished /m)
  expect(stdout).not.toMatch(/^visible /m)
})

it('shows no message that is no dead letter', async () => {
  const store = await installedProject()
  const id = await store.producer('emails').enqueue(1)
  expect(await pgqrs(['dead', 'show', id])).toMatchObject({
    code: 1,
    stderr: `error [INVALID_STATE] ${id} is no dead letter: it is queued.\n`,
  })
  expect(await pgqrs(['dead', 'replay', id])).toMatchObject({ code: 1 })
  expect(await pgqrs(['dead', 'show', 'nonsense'])).toMatchObject({
    code: 1,
    stderr: 'error [NOT_FOUND] There is no message or run with the id "nonsense".\n',
  })
})

it('replays one', async () => {
  const store = await installedProject()
  const id = await store.producer('emails').enqueue(1)
  await fail(store, 'emails')
  expect(await json('dead', 'replay', id)).toEqual({ replayed: 1, refused: [] })
  await fail(store, 'emails')
  expect((await pgqrs(['dead', 'replay', '--queue', 'emails'])).stdout).toBe(
    'Replayed 1 dead letter of emails.\n',
  )
  expect((await store.admin.messages.get(id)).status).toBe('queued')
})

it('replays every one of a queue, over several pages, and says which it could not', async () => {
  const store = await installedProject()
  const producer = store.producer('emails')
  await store.producer('reports').enqueue(1)
  await fail(store, 'reports')
  await producer.enqueueMany(Array.from({ length: 130 }, (_, i) => i))
  const keyed = await producer.enqueue(1, { key: 'once' })
  for (const message of await store.consumer('emails').dequeue({ limit: 131 }))
    await message.fail(new Error('no'))
  const taker = await producer.enqueue(2, { key: 'once' })
  const { code, stdout } = await pgqrs(['dead', 'replay', '--queue', 'emails', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    replayed: 130,
    refused: [{ id: keyed, code: 'KEY_CONFLICT', message: expect.stringContaining('"once"') }],
  })
  expect(code).toBe(1)
  expect(await store.admin.metrics()).toMatchObject([
    { queue: 'emails', ready: 131, dead: 1 },
    { queue: 'reports', dead: 1 },
  ])
  expect((await store.admin.messages.get(taker)).status).toBe('queued')
})

it('wants an id or a queue', async () => {
  await installedProject()
  for (const args of [[], ['01936b7e-6f6a-7c3e-9d0a-1f2e3d4c5b6a', '--queue', 'emails']]) {
    expect(await pgqrs(['dead', 'replay', ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Give the id of one dead letter, or --queue <name>'),
    })
  }
})
