import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, InvalidArgumentError, type Store } from '@pgqrs/core'
import { useBench } from '../bench.js'
import { randomTexts } from '../random-text.js'
import type { Target } from '../target.js'
import { expectRefused, openWithoutDatabase, type RefusedCall } from '../untouched-database.js'

const badNames: readonly (readonly [what: string, name: unknown])[] = [
  ['an empty name', ''],
  ['300 bytes', 'x'.repeat(300)],
  ['one too many', 'x'.repeat(201)],
  ['NUL', 'a\0b'],
  ['an emoji', 'mails😀'],
  ['a quote', "it's"],
  ['a double quote', 'a"b'],
  ['a statement', '"; drop table pgqrs_messages; --'],
  ['a line break', 'a\nb'],
  ['a line break at the end', 'a\n'],
  ['a space', 'a b'],
  ['an accent', 'é'],
  ['a lone surrogate', '\ud800'],
  ['a minus at the beginning', '-rf'],
  ['a dot at the beginning', './queue'],
  ['a number', 5],
  ['null', null],
  ['an object', { toString: () => 'name' }],
  ['an array', ['name']],
  ['an object without prototype', Object.create(null)],
]

const goodNames = [
  'a',
  'Upper',
  'UPPER_case',
  'x'.repeat(200),
  '0',
  '_',
  'a.b:c/d-e_f',
  'select',
  '__proto__',
  'constructor',
  'toString',
]

const badKeys: readonly (readonly [what: string, key: unknown])[] = [
  ['an empty key', ''],
  ['601 bytes', 'x'.repeat(601)],
  ['601 bytes in 151 characters', '😀'.repeat(150) + 'x'],
  ['NUL', 'a\0b'],
  ['a line break', 'a\nb'],
  ['an escape', '\x1b[2J'],
  ['a lone surrogate', 'a\ud800'],
  ['a number', 5],
  ['null', null],
]

const goodKeys = [
  'a',
  ' ',
  '😀'.repeat(150),
  `"; drop table pgqrs_messages; --`,
  `it's`,
  '{"a":1}',
  '$1',
  '?',
  '\\',
  '{NULL,"a"}',
  '__proto__',
]

/** Names and keys are data: each is refused with what is wrong, or works like any other. */
export function names(target: Target): void {
  describe('names', () => {
    const bench = useBench(target)
    const nothing = (): Promise<void> => Promise.resolve()

    it('refuses bad names and keys wherever one is given, without asking the database', async () => {
      const store = await openWithoutDatabase(bench)
      const { queues } = store.admin
      const workflow = defineWorkflow('w', nothing)
      const calls = badNames.flatMap(([what, bad]): RefusedCall[] => {
        const name = bad as string
        return [
          [`queue: ${what}`, () => defineQueue(name)],
          [`workflow: ${what}`, () => defineWorkflow(name, nothing)],
          [`producer: ${what}`, () => store.producer('q', { name })],
          [`producer of: ${what}`, () => store.producer(name)],
          [`consumer: ${what}`, () => store.consumer('q', { name })],
          [`consumer of: ${what}`, () => store.consumer(name)],
          [`worker: ${what}`, () => store.worker([defineQueue('q').handler(nothing)], { name })],
          [`queue to create: ${what}`, () => queues.create(name)],
          [`queue to pause: ${what}`, () => queues.pause(name)],
          [`queue to resume: ${what}`, () => queues.resume(name)],
          [`queue to purge: ${what}`, () => queues.purge(name, 'all')],
          [`queue to delete: ${what}`, () => queues.delete(name)],
          [`queue to measure: ${what}`, () => queues.metrics(name)],
        ]
      })
      const keys = badKeys.flatMap(([what, bad]): RefusedCall[] => {
        const key = bad as string
        return [
          [`key: ${what}`, () => store.producer('q').enqueue(1, { key })],
          [`key in a batch: ${what}`, () => store.producer('q').enqueueMany([1], { each: { key } })],
          [`key of a run: ${what}`, () => store.trigger(workflow, undefined, { key })],
        ]
      })
      await expectRefused('INVALID_ARGUMENT', [...calls, ...keys])
    })

    it('shows a bad name in one line that moves no cursor', () => {
      for (const name of ['a\nb', '\x1b[2J', '\0', 'x'.repeat(10_000)]) {
        expect(() => defineQueue(name)).toThrow(/^[^\p{Cc}]{0,300}$/u)
      }
    })

    it('works with every good name, also those that mean something elsewhere', async () => {
      const store = await bench.open()
      for (const name of goodNames) {
        await store.producer(name).enqueue({ name }, { key: name })
        const [message] = await store.consumer(name, { name }).dequeue()
        expect(message).toMatchObject({ queue: name, payload: { name }, key: name })
        await message!.archive()
        expect(await store.admin.metrics(name)).toMatchObject({ queue: name, archived: 1, ready: 0 })
      }
      expect((await store.admin.queues.list()).map(({ name }) => name).sort()).toEqual([...goodNames].sort())
    })

    it('runs workflows of every good name, and steps of every good name and key', async () => {
      const store = await bench.open()
      const stepNames = goodNames.filter((name) => !name.includes('/'))
      const workflow = defineWorkflow('steps', async (run) => {
        const found: string[] = []
        for (const name of stepNames) found.push(await run.step(name, () => name))
        for (const key of goodKeys) found.push(await run.step('keyed', { key }, () => key))
        return found
      })
      const all = goodNames.map((name) => defineWorkflow(name, (run) => run.step('only', () => run.workflow)))
      const worker = store.worker([workflow, ...all])
      await worker.start()
      const handle = await store.trigger(workflow)
      expect(await handle.result({ timeout: '20s' })).toEqual([...stepNames, ...goodKeys])
      for (const one of all) {
        expect(await (await store.trigger(one)).result({ timeout: '20s' })).toBe(one.name)
      }
      await worker.stop()
    })

    it('fails a run that gives a step a bad name or key, with the error that says so', async () => {
      const store = await bench.open()
      const bad: [string, string | undefined][] = [
        ...badNames.map(([, name]): [string, undefined] => [name as string, undefined]),
        ['a/b', undefined],
        ...badKeys.map(([, key]): [string, string] => ['step', key as string]),
      ]
      const wrong: string[] = []
      const workflow = defineWorkflow('bad_steps', async (run) => {
        for (const [name, key] of bad) {
          const options = key === undefined ? {} : { key }
          const error: unknown = await run.step(name, options, nothing).catch((thrown: unknown) => thrown)
          if (!(error instanceof InvalidArgumentError)) wrong.push(String(error))
        }
        await run.step('', nothing)
      })
      const worker = store.worker([workflow])
      await worker.start()
      const handle = await store.trigger(workflow)
      await expect(handle.result({ timeout: '20s' })).rejects.toMatchObject({
        code: 'RUN_FAILED',
        cause: { code: 'INVALID_ARGUMENT', name: 'InvalidArgumentError' },
      })
      expect(wrong).toEqual([])
      expect(await handle.steps()).toEqual([])
      await worker.stop()
    })

    it('refuses or carries each of 1,000 random texts as a queue and as a key', async () => {
      const store = await bench.open()
      const texts = [...new Set(randomTexts(1000, 20_260_101))]
      const names = texts.filter((text) => isAccepted(() => defineQueue(text)))
      expect(names.length).toBeGreaterThan(100)
      expect(names.length).toBeLessThan(texts.length - 100)
      await carriesQueues(store, names)
      await carriesKeys(store, texts)
    })
  })
}

function isAccepted(call: () => unknown): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (error instanceof InvalidArgumentError) return false
    throw error
  }
}

async function carriesQueues(store: Store, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => store.producer(name).enqueue(name)))
  const queues = await store.admin.queues.list()
  expect(queues.map(({ name }) => name).sort()).toEqual([...names].sort())
  const messages: string[] = []
  for (let cursor: string | undefined; ;) {
    const page = await store.admin.messages.list({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
    messages.push(
      ...page.items.map(({ queue, payload }) => (queue === payload ? queue : `${queue} holds another's`)),
    )
    cursor = page.next
    if (cursor === undefined) break
  }
  expect(messages.sort()).toEqual([...names].sort())
}

async function carriesKeys(store: Store, texts: readonly string[]): Promise<void> {
  const producer = store.producer<string>('keys')
  const enqueue = (key: string): Promise<string | undefined> =>
    producer.enqueue(key, { key }).catch((error: unknown) => {
      if (error instanceof InvalidArgumentError) return undefined
      throw error
    })
  const ids = await Promise.all(texts.map(enqueue))
  const accepted = texts.filter((_, i) => ids[i] !== undefined)
  expect(accepted.length).toBeGreaterThan(100)
  // The key really is the key: a second message under it is the first one.
  expect(await Promise.all(texts.map(enqueue))).toEqual(ids)
  const messages = await store.consumer<string>('keys').dequeue({ limit: 1000 })
  expect(messages.map(({ key }) => key).sort()).toEqual([...accepted].sort())
  expect(messages.every(({ key, payload }) => key === payload)).toBe(true)
}
