import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  ClosedError,
  defineWorkflow,
  KeyConflictError,
  NotFoundError,
  RunFailedError,
  TimeoutError,
} from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

const nobody = '01900000-0000-7000-8000-000000000000'

/** Triggering runs, and what becomes of them: results, states, lists, and trying again. */
export function results(target: Target): void {
  describe('runs', () => {
    const bench = useBench(target)
    const echo = defineWorkflow('echo', (run, input: { n: number }) => run.step('echo', () => input.n))

    it('are triggered once for a key, for as long as they are kept, with the same input', async () => {
      const store = await bench.open()
      const first = await store.trigger(echo, { n: 1 }, { key: 'k' })
      expect((await store.trigger(echo, { n: 1 }, { key: 'k' })).id).toBe(first.id)
      const error = await store.trigger(echo, { n: 2 }, { key: 'k' }).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(KeyConflictError)
      expect(error).toMatchObject({ key: 'k', id: first.id })
      await store.worker([echo]).start()
      expect(await first.result()).toBe(1)
      const again = await store.trigger(echo, { n: 1 }, { key: 'k' })
      expect(again.id).toBe(first.id)
      expect(await again.result()).toBe(1)
      await expect(store.trigger(echo, { n: 2 }, { key: 'k' })).rejects.toThrow(KeyConflictError)
      const other = defineWorkflow('other', (_, input: { n: number }) => input.n)
      expect((await store.trigger(other, { n: 1 }, { key: 'k' })).id).not.toBe(first.id)
    })

    it('are one run for twenty triggers with one key at once from two stores', async () => {
      const stores = [await bench.open(), await bench.open()]
      let bodies = 0
      const workflow = defineWorkflow('single', (_, input: string) => {
        bodies++
        return `did ${input}`
      })
      const handles = await Promise.all(
        Array.from({ length: 20 }, (_, i) => stores[i % 2]!.trigger(workflow, 'it', { key: 'once' })),
      )
      expect(new Set(handles.map((handle) => handle.id)).size).toBe(1)
      await Promise.all(stores.map((store) => store.worker([workflow]).start()))
      expect(new Set(await Promise.all(handles.map((handle) => handle.result())))).toEqual(
        new Set(['did it']),
      )
      expect(bodies).toBe(1)
    })

    it('give their result to whoever waits, looks, or comes later, in any store', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const handle = await store.trigger(echo, { n: 7 })
      expect(await handle.peek()).toBeUndefined()
      expect(await handle.status()).toBe('queued')
      const waiting = [
        handle.result(),
        other.run(echo, handle.id).result(),
        other.run('echo', handle.id).result(),
      ]
      await store.worker([echo]).start()
      expect(await Promise.all(waiting)).toEqual([7, 7, 7])
      expect(await handle.peek()).toEqual({ output: 7 })
      expect(await other.run(echo, handle.id).result({ timeout: 1 })).toBe(7)
      expect(await handle.status()).toBe('success')
    })

    it('tell the one who waits no longer than he said, and go on', async () => {
      const store = await bench.open()
      const handle = await store.trigger(echo, { n: 1 })
      await expect(handle.result({ timeout: 20 })).rejects.toThrow(TimeoutError)
      const control = new AbortController()
      const aborted = handle.result({ signal: control.signal })
      const both = handle.result({ signal: control.signal, timeout: '1h' })
      const reason = new Error('changed my mind')
      control.abort(reason)
      for (const wait of [aborted, both]) {
        const error = await wait.catch((e: unknown) => e)
        expect(error).toBeInstanceOf(AbortedError)
        expect((error as Error).cause).toBe(reason)
      }
      await expect(handle.result({ signal: control.signal })).rejects.toThrow(AbortedError)
      await store.worker([echo]).start()
      expect(await handle.result()).toBe(1)
    })

    it('tell the one who waits when the store is closed', async () => {
      const store = await bench.open()
      const handle = await store.trigger(echo, { n: 1 })
      const waiting = handle.result().catch((error: unknown) => error)
      await handle.status()
      await store.close()
      expect(await waiting).toBeInstanceOf(ClosedError)
    })

    it('that do not exist are not found', async () => {
      const store = await bench.open()
      for (const id of [nobody, 'no-id-at-all']) {
        const handle = store.run(echo, id)
        for (const call of [() => handle.result(), () => handle.peek(), () => handle.status()]) {
          await expect(call()).rejects.toThrow(NotFoundError)
        }
        await expect(handle.cancel()).rejects.toThrow(NotFoundError)
        await expect(handle.steps()).rejects.toThrow(NotFoundError)
        await expect(store.admin.runs.retry(id)).rejects.toThrow(NotFoundError)
      }
    })

    it('can be awaited two hundred at once, each with its own result', async () => {
      const store = await bench.open()
      const other = await bench.open()
      await store.worker([echo], { concurrency: 50 }).start()
      const handles = await Promise.all(Array.from({ length: 200 }, (_, n) => other.trigger(echo, { n })))
      expect(await Promise.all(handles.map((handle) => handle.result({ timeout: '25s' })))).toEqual(
        handles.map((_, n) => n),
      )
    })

    it('list their checkpoints in the order of recording, with what each came to', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('listed', async (run) => {
        await run.step('ok', () => new Date(5))
        await run
          .step('bad', { retry: { maxAttempts: 1 } }, () => Promise.reject(new TypeError('no')))
          .catch(() => '')
        await run.sleep('nap', 1)
        await run.transaction('write', () => 3n)
        await run.pause('wait', { timeout: 1 })
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await handle.result()
      const steps = await handle.steps()
      expect(steps).toMatchObject([
        { name: 'ok', kind: 'step', status: 'success', output: new Date(5), failures: 0 },
        {
          name: 'bad',
          kind: 'step',
          status: 'error',
          output: undefined,
          failures: 1,
          error: { name: 'TypeError' },
        },
        { name: 'nap', kind: 'sleep', status: 'success', wakeAt: expect.any(Date) },
        { name: 'write', kind: 'transaction', status: 'success', output: 3n },
        { name: 'wait@timeout', kind: 'timer', wakeAt: expect.any(Date) },
        { name: 'wait', kind: 'pause', output: { resumed: false } },
      ])
      const times = steps.map((step) => step.recordedAt.getTime())
      expect(times).toEqual([...times].sort((a, b) => a - b))
    })

    it('are listed newest first, by workflow and status, in pages that stay stable while new ones come in', async () => {
      const store = await bench.open()
      const failing = defineWorkflow('failing', () => {
        throw new Error('always')
      })
      const good = await Promise.all(Array.from({ length: 23 }, (_, n) => store.trigger(echo, { n })))
      const bad = await Promise.all(Array.from({ length: 4 }, () => store.trigger(failing)))
      const paused = await store.trigger(echo, { n: 99 }, { delay: '1h' })
      await store.worker([echo, failing]).start()
      await Promise.allSettled([...good, ...bad].map((handle) => handle.result()))
      const newestFirst = (handles: readonly { id: string }[]): string[] =>
        handles
          .map((handle) => handle.id)
          .sort()
          .reverse()

      const seen: string[] = []
      for (let cursor: string | undefined, pages = 0; ; pages++) {
        const page = await store.admin.runs.list({
          workflow: 'echo',
          status: 'success',
          limit: 5,
          ...(cursor === undefined ? {} : { cursor }),
        })
        expect(page.items.length).toBeLessThanOrEqual(5)
        seen.push(...page.items.map((run) => run.id))
        cursor = page.next
        if (cursor === undefined) {
          expect(pages).toBe(4)
          break
        }
        await (await store.trigger(echo, { n: 100 + pages })).result()
      }
      expect(seen).toEqual(newestFirst(good))
      const ids = async (options: object): Promise<string[]> =>
        (await store.admin.runs.list(options)).items.map((run) => run.id)
      expect(await ids({ status: 'error' })).toEqual(newestFirst(bad))
      expect(await ids({ workflow: 'failing' })).toEqual(newestFirst(bad))
      expect(await ids({ status: 'queued' })).toEqual([paused.id])
      expect(await ids({ status: ['error', 'queued'] })).toEqual(newestFirst([...bad, paused]))
      await expect(store.admin.runs.list({ workflow: 'ecko' })).rejects.toThrow('echo')
    })

    it('that failed are retried with their checkpoints: only the step that failed runs again', async () => {
      const store = await bench.open()
      const ran: string[] = []
      let broken = true
      const workflow = defineWorkflow('mended', { stepRetry: { maxAttempts: 1 } }, async (run) => {
        await run.step('a', () => ran.push('a'))
        const caught = await run
          .step('caught', () => Promise.reject(new Error('handled')))
          .catch(() => 'handled')
        await run.step('b', () => {
          ran.push('b')
          if (broken) throw new Error('broken')
        })
        await run.step('c', () => ran.push('c'))
        return caught
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await expect(handle.result()).rejects.toThrow(RunFailedError)
      broken = false
      await store.admin.runs.retry(handle.id)
      expect(await handle.result()).toBe('handled')
      expect(ran).toEqual(['a', 'b', 'b', 'c'])
      await expect(store.admin.runs.retry(handle.id)).rejects.toMatchObject({ code: 'INVALID_STATE' })
    })

    const disguises: Record<string, (error: unknown) => unknown> = {
      'as it was': (error) => error,
      'as a cause': (error) => new Error('outer', { cause: new Error('middle', { cause: error }) }),
      'in other words': (error) => new Error(`it failed: ${String(error)}`),
      'as a text': (error) => `failed: ${String(error)}`,
    }
    for (const [how, disguise] of Object.entries(disguises)) {
      it(`are retried by their own policy, the failed step with them, when its error is thrown ${how}`, async () => {
        const store = await bench.open()
        const ran: string[] = []
        const retry = { maxAttempts: 3, delay: 1 }
        const workflow = defineWorkflow('again', { retry, stepRetry: { maxAttempts: 1 } }, async (run) => {
          await run.step('a', () => ran.push('a'))
          try {
            await run.step('b', () => {
              ran.push('b')
              if (ran.length < 4) throw new Error('not yet')
            })
          } catch (error) {
            throw disguise(error)
          }
          return ran.join(' ')
        })
        await store.worker([workflow]).start()
        const handle = await store.trigger(workflow)
        expect(await handle.result()).toBe('a b b b')
        expect(await store.admin.runs.get(handle.id)).toMatchObject({ failures: 2, crashes: 0 })
      })
    }

    it('have no result while they wait for another attempt', async () => {
      const store = await bench.open()
      let attempts = 0
      const workflow = defineWorkflow('late', { retry: { maxAttempts: 2, delay: '1h' } }, () => {
        attempts++
        throw new Error('once')
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually(
        'the first attempt',
        async () => (await store.admin.runs.get(handle.id)).failures === 1,
      )
      expect(await handle.peek()).toBeUndefined()
      expect(await store.admin.runs.get(handle.id)).toMatchObject({
        status: 'queued',
        error: { message: 'once' },
      })
      expect(attempts).toBe(1)
    })
  })
}
