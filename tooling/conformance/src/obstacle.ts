import type { DriverTransaction, RunHandle, StepContext, WorkflowDefinition } from '@pgqrs/core'
import type { Bench } from './bench.js'

/** The body of a step at which the first worker that comes by is stopped. Whoever comes later passes. */
export class Obstacle {
  private met = false
  private announce: () => void = () => undefined
  /** Resolves when the first worker has come by. */
  readonly reached = new Promise<void>((resolve) => {
    this.announce = resolve
  })

  readonly body = ({ signal }: StepContext): Promise<void> => {
    if (this.met) return Promise.resolve()
    this.met = true
    this.announce()
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  }
}

/** A workflow of any kind that takes no input. */
export type Inputless<Output> = WorkflowDefinition<undefined, Output, DriverTransaction, never>

/** Lets a worker bring a run as far as the obstacle and stops it there. Returns the id of the run, which waits then. */
export async function bringTo(
  obstacle: Obstacle,
  bench: Bench,
  workflow: Inputless<unknown>,
): Promise<string> {
  const store = await bench.open()
  const worker = store.worker([workflow])
  await worker.start()
  const { id } = await store.trigger(workflow)
  await obstacle.reached
  await worker.stop({ grace: 0 })
  return id
}

/** Lets one worker bring a run as far as the obstacle, stops it there, and lets the worker of another store go on. */
export async function takenOver<Output>(
  bench: Bench,
  workflow: Inputless<Output>,
  obstacle: Obstacle,
): Promise<RunHandle<Output>> {
  const id = await bringTo(obstacle, bench, workflow)
  const store = await bench.open()
  await store.worker([workflow]).start()
  return store.run(workflow, id)
}
