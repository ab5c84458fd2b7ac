import { describe, expect, it } from 'vitest'
import { defineQueue, InvalidStateError, type Admin, type WorkerStatus } from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** From which states each act is allowed, and to which state it leads. */
const acts = {
  suspend: { from: ['ready', 'polling', 'interrupted'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'ready' },
  interrupt: { from: ['polling'], to: 'interrupted' },
  shutdown: { from: ['suspended'], to: 'stopped' },
} as const satisfies Readonly<Record<string, { from: readonly WorkerStatus[]; to: WorkerStatus }>>

type Act = keyof typeof acts

const states: readonly WorkerStatus[] = ['ready', 'polling', 'suspended', 'interrupted', 'stopped']
const cases = states.flatMap((state) => (Object.keys(acts) as Act[]).map((act) => [act, state] as const))

/** The states of a worker, and what may follow what. */
export function workerStates(target: Target): void {
  describe('worker state', () => {
    const bench = useBench(target)

    /** A registered consumer in that state, which does nothing about it by itself. */
    async function workerIn(state: WorkerStatus): Promise<{ admin: Admin; id: string }> {
      const store = await bench.open({ heartbeatInterval: '1h' })
      const hands = store.consumer(defineQueue('quiet'))
      await hands.dequeue()
      await bench.db.query(`update pgqrs_workers set status = '${state}' where id = '${hands.workerId}'`)
      return { admin: store.admin, id: hands.workerId }
    }

    it.each(cases)('%s of a worker that is %s', async (act, state) => {
      const { admin, id } = await workerIn(state)
      const from: readonly WorkerStatus[] = acts[act].from
      if (from.includes(state)) {
        await admin.workers[act](id)
        expect(await admin.workers.get(id)).toMatchObject({ status: acts[act].to })
      } else {
        await expect(admin.workers[act](id)).rejects.toThrow(InvalidStateError)
        await expect(admin.workers[act](id)).rejects.toThrow(
          `is ${state}; only ${from.join(' or ')} can become`,
        )
        expect(await admin.workers.get(id)).toMatchObject({ status: state })
      }
    })
  })
}
