import type { Command } from 'commander'
import { InvalidStateError, type RunHandle, type Store } from '@pgqrs/core'
import { addCommand, EXAMPLE_ID } from '../command.js'
import type { Session, StoreWork } from '../session.js'

/** `run result`. */
export function addResultCommand(group: Command, session: Session): void {
  addCommand(group, {
    usage: 'result <id>',
    description:
      'Print what a run returned, as JSON. Ends with 1 when it failed, was cancelled, or has not finished.',
    examples: [`run result ${EXAMPLE_ID}`, `run result ${EXAMPLE_ID} --timeout 10m`],
  })
    .option('--timeout <duration>', 'wait this long for it to finish; without it, do not wait')
    .action((id: string, { timeout }: { timeout?: string }, command: Command) =>
      session.withStore(command, (work) => result(work, id, timeout)),
    )
}

async function result(
  { store, out }: StoreWork,
  id: string,
  timeout: string | undefined,
): Promise<undefined> {
  const handle = await handleOf(store, id)
  const output = timeout === undefined ? await finishedOutput(handle) : await handle.result({ timeout })
  out.answer({ id, workflow: handle.workflow, status: 'success', output }, () => {
    out.value(output)
  })
}

async function handleOf(store: Store, id: string): Promise<RunHandle> {
  const { queue } = await store.admin.runs.get(id)
  return store.run(queue, id)
}

async function finishedOutput(handle: RunHandle): Promise<unknown> {
  const finished = await handle.peek()
  if (finished !== undefined) return finished.output
  const status = await handle.status()
  throw new InvalidStateError(
    `Run ${handle.id} of ${handle.workflow} has not finished, it is ${status}. Wait for it with --timeout 30s.`,
  )
}
