import { defineWorkflow, TerminalError, type Store } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

let isBroken = true
const greet = defineWorkflow('greet', async (run, name: string) => {
  const text = await run.step('compose', () => `hello ${name}`)
  await run.step('send', () => {
    if (isBroken) throw new TerminalError('the line is dead')
    return new Map([['sent', 1n]])
  })
  return { text }
})

async function start(store: Store): Promise<void> {
  const worker = store.worker([greet])
  await worker.start()
  onTestFinished(() => worker.stop())
}

it('lists, shows, retries a failed run and prints its result', async () => {
  isBroken = true
  const store = await installedProject()
  const { id } = await store.trigger(greet, 'you')
  const early = await pgqrs(['run', 'result', id])
  expect(early).toMatchObject({ code: 1, stdout: '' })
  expect(early.stderr).toContain(`error [INVALID_STATE] Run ${id} of greet has not finished, it is queued.`)
  await start(store)
  const failed = await pgqrs(['run', 'result', id, '--timeout', '10s'])
  expect(failed).toEqual({
    code: 1,
    stdout: '',
    stderr: `error [RUN_FAILED] Run ${id} of greet failed: the line is dead\n`,
  })

  expect(await json('run', 'show', id)).toMatchObject({
    id,
    queue: 'greet',
    status: 'error',
    error: { message: 'the line is dead', code: 'TERMINAL' },
    steps: [
      { name: 'compose', status: 'success', output: 'hello you', error: null },
      { name: 'send', status: 'error', error: { name: 'TerminalError' } },
    ],
  })
  const { stdout } = await pgqrs(['run', 'show', id])
  expect(stdout).toMatch(/^workflow +greet$/m)
  expect(stdout).toMatch(/^compose +step +success +0 +\S.* +"hello you"$/m)

  isBroken = false
  expect(await json('run', 'retry', id)).toEqual({ id, status: 'queued' })
  expect(await json('run', 'result', id, '--timeout', '10s')).toEqual({
    id,
    workflow: 'greet',
    status: 'success',
    output: { text: 'hello you' },
  })
  expect((await pgqrs(['run', 'result', id])).stdout).toBe('{\n  "text": "hello you"\n}\n')
  expect(await json('run', 'list', '--workflow', 'greet', '--status', 'success')).toMatchObject({
    items: [{ id }],
  })
  expect(await pgqrs(['run', 'retry', id])).toMatchObject({ code: 1 })
})

it('waits no longer than it is told', async () => {
  const store = await installedProject()
  const { id } = await store.trigger(greet, 'you')
  expect(await pgqrs(['run', 'result', id, '--timeout', '50ms'])).toMatchObject({
    code: 1,
    stderr: `error [TIMEOUT] Run ${id} of greet has not finished within 50 ms.\n`,
  })
})

it('waits for a run that finishes meanwhile', async () => {
  isBroken = false
  const store = await installedProject()
  const { id } = await store.trigger(greet, 'you')
  const waiting = json('run', 'result', id, '--timeout', '20s')
  await start(store)
  expect(await waiting).toMatchObject({ output: { text: 'hello you' } })
})

it('cancels a run, with the reason', async () => {
  const store = await installedProject()
  const { id } = await store.trigger(greet, 'you')
  expect(await json('run', 'cancel', id, '--reason', 'wrong input')).toEqual({ id, status: 'cancelled' })
  await eventually(
    'the run to be cancelled',
    async () => (await store.run(greet, id).status()) === 'cancelled',
  )
  expect(await pgqrs(['run', 'result', id])).toMatchObject({
    code: 1,
    stderr: `error [RUN_CANCELLED] Run ${id} of greet was cancelled: wrong input.\n`,
  })
})

it('knows the nearest workflow', async () => {
  const store = await installedProject()
  await store.trigger(greet, 'you')
  expect(await pgqrs(['run', 'list', '--workflow', 'gret'])).toMatchObject({
    code: 1,
    stderr: 'error [NOT_FOUND] There is no workflow "gret". Did you mean "greet"?\n',
  })
})
