import type { MessageInfo, Page } from '@pgqrs/core'
import { expect, it } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

type Shown = Record<keyof MessageInfo, unknown>

it('enqueues with delay, priority and key, and shows the message', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const options = ['--delay', '5m', '--priority', '-3', '--key', 'welcome-42']
  const { id } = await json<{ id: string }>(
    'message',
    'enqueue',
    'emails',
    '{"to":"a@example.com"}',
    ...options,
  )
  const shown = await json<Shown>('message', 'show', id)
  expect(Object.keys(shown).sort()).toEqual(
    'claims crashes enqueuedAt error failures finishedAt id key output payload priority queue startedAt status visibleAt workerId'.split(
      ' ',
    ),
  )
  expect(shown).toMatchObject({
    id,
    queue: 'emails',
    status: 'queued',
    priority: -3,
    key: 'welcome-42',
    payload: { to: 'a@example.com' },
    output: null,
    error: null,
    finishedAt: null,
  })
  expect(Date.parse(shown.visibleAt as string) - Date.parse(shown.enqueuedAt as string)).toBe(300_000)
})

it('gives the id of the message that has the key already', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const first = await json('message', 'enqueue', 'emails', '1', '--key', 'once')
  expect(await json('message', 'enqueue', 'emails', '2', '--key', 'once')).toEqual(first)
})

it('enqueues what standard input holds', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const { code, stdout } = await pgqrs(['message', 'enqueue', 'emails', '--stdin'], {
    input: '\ufeff{"grüße":[1,2]}\n',
  })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Enqueued [0-9a-f-]{36} on emails\.\n$/)
  const { items } = await store.admin.messages.list()
  expect(items[0]?.payload).toEqual({ grüße: [1, 2] })
})

it('refuses what it cannot enqueue, and enqueues nothing', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const refused: [string[], number, RegExp][] = [
    [['emails', '{"to":'], 2, /^error \[INVALID_ARGUMENT\] The payload is not JSON: /],
    [['emails'], 2, /^error \[INVALID_ARGUMENT\] Give the payload as JSON after the queue, or --stdin/],
    [['emails', '1', '--stdin'], 2, /and not both/],
    [['emails', '--stdin'], 2, /^error \[INVALID_ARGUMENT\] Standard input is not JSON: /],
    [['emails', '1', '--delay', '-5m'], 2, /^error \[INVALID_ARGUMENT\] delay must be a duration/],
    [['emails', '1', '--delay', '30'], 2, /delay must be a duration.*'30s'/],
    [
      ['emails', '1', '--priority', 'high'],
      2,
      /^error \[USAGE\] .*'high' is invalid\. It must be a whole number/,
    ],
    [['emails', '1', '--priority', ''], 2, /^error \[USAGE\] .*It must be a whole number/],
    [
      ['emails', '1', '--priority', '1e10'],
      2,
      /^error \[INVALID_ARGUMENT\] priority must be a whole number from/,
    ],
    [['emails', '1', '--key', ''], 2, /^error \[INVALID_ARGUMENT\] "" is not a message key/],
    [['emails', JSON.stringify('x'.repeat(2 ** 20))], 2, /^error \[INVALID_PAYLOAD\] .*1048576/],
    [['emials', '1'], 1, /^error \[NOT_FOUND\] There is no queue "emials"\. Did you mean "emails"\?/],
  ]
  for (const [args, code, said] of refused) {
    const ended = await pgqrs(['message', 'enqueue', ...args])
    expect(ended.stderr).toMatch(said)
    expect(ended.stderr.split('\n')).toHaveLength(2)
    expect(ended).toMatchObject({ code, stdout: '' })
  }
  expect(await store.admin.metrics()).toMatchObject([{ queue: 'emails', ready: 0, delayed: 0 }])
})

it('refuses standard input that is not UTF-8', async () => {
  const store = await installedProject()
  await store.admin.queues.create('emails')
  const input = Buffer.from([0x22, 0xff, 0x22])
  expect(await pgqrs(['message', 'enqueue', 'emails', '--stdin'], { input })).toMatchObject({
    code: 2,
    stderr: 'error [INVALID_ARGUMENT] Standard input is not UTF-8.\n',
  })
})

it('lists page by page, by queue and by status', async () => {
  const store = await installedProject()
  const ids = await store.producer('emails').enqueueMany([1, 2, 3])
  await store.producer('reports').enqueue('other')
  await store.admin.messages.archive(ids[0]!)
  const list = ['message', 'list', '--queue', 'emails']
  const first = await json<Page<Shown>>(...list, '--limit', '2')
  expect(first.items.map((item) => item.id)).toEqual([ids[2], ids[1]])
  const second = await json<Page<Shown>>(...list, '--limit', '2', '--cursor', first.next!)
  expect(second).toMatchObject({ items: [{ id: ids[0] }], next: null })
  const done = await json<Page<Shown>>(...list, '--status', 'success,error')
  expect(done.items.map((item) => item.id)).toEqual([ids[0]])
  const { stdout } = await pgqrs([...list, '--limit', '2'])
  expect(stdout).toContain(`More with --cursor ${first.next}`)
})

it('refuses a status that is none and a limit that is too much', async () => {
  await installedProject()
  expect(await pgqrs(['message', 'list', '--status', 'sucess'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no status "sucess". Did you mean "success"?'),
  })
  const limits = [
    ['all', "option '--limit <n>' argument 'all' is invalid. It must be a whole number."],
    ['1001', 'limit must be a whole number from 1 to 1000'],
  ] as const
  for (const [limit, said] of limits) {
    expect(await pgqrs(['message', 'list', '--limit', limit])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(said),
    })
  }
})

it('archives a message nobody holds, once', async () => {
  const store = await installedProject()
  const id = await store.producer('emails').enqueue(1)
  expect(await json('message', 'archive', id)).toEqual({ id, archived: true })
  expect((await store.admin.messages.get(id)).status).toBe('success')
  expect(await pgqrs(['message', 'archive', id])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error [INVALID_STATE]'),
  })
})

it('shows values that JSON has no word for', async () => {
  const store = await installedProject()
  const payload = {
    big: 12345678901234567890n,
    when: new Date(0),
    map: new Map<unknown, unknown>([['a', new Set([1n])]]),
    bytes: new Uint8Array([1, 2, 3]),
    nothing: undefined,
    odd: Number.NaN,
  }
  const id = await store.producer('values').enqueue(payload)
  expect(await json('message', 'show', id)).toMatchObject({
    payload: {
      big: '12345678901234567890',
      when: '1970-01-01T00:00:00.000Z',
      map: [['a', ['1']]],
      bytes: 'AQID',
      nothing: null,
      odd: 'NaN',
    },
  })
})

it('obeys nothing a payload or key says to a terminal', async () => {
  const store = await installedProject()
  const attack = 'x\u001b]0;title\u0007\u001b[31m\u009b2J\u202e\r\n'
  const id = await store.producer('emails').enqueue({ [attack]: attack }, { key: '\u009b2J\u202e' })
  for (const args of [['list'], ['show', id], ['list', '--json'], ['show', id, '--json']]) {
    const { stdout } = await pgqrs(['message', ...args])
    // eslint-disable-next-line no-control-regex -- nothing of this may arrive
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  }
  expect(await json('message', 'show', id)).toMatchObject({ payload: { [attack]: attack } })
})
