import {
  defineQueue,
  defineWorkflow,
  TerminalError,
  type HandledMessage,
  type Run,
  type WorkflowDefinition,
} from '@pgqrs/core'
import type { BoundaryPassed, BodyOf } from '@pgqrs/checker'
import type { Database } from '@pgqrs/sqlite'
import type { Life } from './life.js'
import type { Recorder } from './recorder.js'
import type { Act, Part } from './schedule.js'

/** Payload of a job. */
export interface Job {
  readonly n: number
  readonly act: Act
}

/** Input of a run. */
export interface Plan {
  readonly n: number
  readonly parts: readonly Part[]
  readonly throws: boolean
}

/** Jobs that handlers enqueue have numbers from here on. */
export const FIRST_SPAWNED = 1000
export const JOB_ATTEMPTS = 3
export const RUN_ATTEMPTS = 2
export const STEP_ATTEMPTS = 3
export const MAX_CRASHES = 5
/** The shortest wait before another attempt of a job, ms. */
export const JOB_BACKOFF_MS = 300

export const jobs = defineQueue<Job>('jobs', {
  retry: { maxAttempts: JOB_ATTEMPTS, backoff: 'fixed', delay: JOB_BACKOFF_MS },
  maxCrashes: MAX_CRASHES,
})

/** A queue whose messages are claimed by hand alone. */
export const parcels = defineQueue<Job>('parcels', { maxCrashes: MAX_CRASHES })

/** What the handlers of a life need: who they are, and where effects are written down. */
export interface Hands {
  readonly life: Life
  readonly recorder: Recorder
  /** Enqueues another job from within a handler. */
  spawn(): Promise<unknown>
}

/** The handler of jobs in one life. */
export function jobHandler(hands: Hands): (message: HandledMessage<Job>) => Promise<unknown> {
  return async (message) => {
    const { act } = message.payload
    const ended = begin(
      hands,
      { of: 'message', id: message.id, lease: leaseOf(hands, message.id) },
      message.attempt,
      {
        payload: JSON.stringify(message.payload),
      },
    )
    try {
      await hands.life.sleep(act.do === 'slow' ? act.ms : 5)
      if (act.do === 'fail') throw new Error('fails')
      if (act.do === 'terminal') throw new TerminalError('fails for good')
      if (act.do === 'flaky' && message.attempt <= act.times) throw new Error(`fails ${act.times} times`)
      if (act.do === 'spawn') await hands.spawn()
      if (act.do === 'snooze' && hands.life.clock.wallNow() % 3 === 0) return message.snooze(400)
      return ended.returned(`done by ${ended.body}`)
    } catch (error) {
      ended.threw(error instanceof TerminalError)
      throw error
    }
  }
}

/** The workflow, for who triggers it. */
export const flow: WorkflowDefinition<Plan, unknown, Database> = defineWorkflow(
  'flow',
  {
    retry: { maxAttempts: RUN_ATTEMPTS, backoff: 'fixed', delay: JOB_BACKOFF_MS },
    stepRetry: { maxAttempts: STEP_ATTEMPTS, backoff: 'exponential', delay: 700 },
    maxCrashes: MAX_CRASHES,
  },
  () => {
    throw new Error('the workflow runs only by the hands of a life')
  },
)

/** The workflow, as one life runs it. */
export function flowBy(hands: Hands): WorkflowDefinition<Plan, unknown, Database> {
  const body = async (run: Run<Database>, plan: Plan): Promise<unknown> => {
    const pass = new Pass(hands, run.id)
    const ended = begin(hands, { of: 'run', id: run.id, lease: pass.lease }, 1, {
      payload: JSON.stringify(plan),
    })
    const values: unknown[] = []
    for (const [at, part] of plan.parts.entries()) values.push((await pass.part(run, part, at)) ?? null)
    if (plan.throws) {
      ended.threw()
      throw new Error('the run fails')
    }
    return ended.returned(values)
  }
  return { ...flow, body }
}

/** One pass through the workflow's code. */
class Pass {
  readonly lease: string
  private readonly counted = new Map<string, number>()
  /** The boundary outside of maps that the code has come past last. */
  private last: string | undefined

  constructor(
    private readonly hands: Hands,
    private readonly id: string,
  ) {
    this.lease = leaseOf(hands, id)
  }

  part(run: Run<Database>, part: Part, at: number): Promise<unknown> {
    switch (part.do) {
      case 'step':
        return this.step(run, '', `step${at}`, part)
      case 'transaction':
        return this.transaction(run, '', `record${at}`)
      case 'sleep':
        return this.sleep(run, `sleep${at}`, part.ms)
      case 'pause':
        return this.passed('', `pause${at}`, 'pause', () =>
          run.pause(`pause${at}`, part.timeoutMs === null ? {} : { timeout: part.timeoutMs }),
        )
      case 'map':
        return run.map(`map${at}`, Array.from({ length: part.items }), async (_, inner, index) => {
          const scope = `map${at}[${index}]/`
          const first = await this.step(inner, scope, 'first', { ms: 20 * index, fails: 0 })
          return [first, await this.transaction(inner, scope, 'second')]
        })
      case 'parallel':
        return Promise.all(
          Array.from({ length: part.items }, (_, index) =>
            this.step(run, '', `side${at}`, {
              ms: 30 * (part.items - index),
              fails: index === 1 ? 1 : 0,
              key: String(index),
            }),
          ),
        )
    }
  }

  private step(
    run: Run<Database>,
    scope: string,
    name: string,
    how: { readonly ms: number; readonly fails: number; readonly key?: string },
  ): Promise<unknown> {
    const options = how.key === undefined ? {} : { key: how.key }
    const full = how.key === undefined ? name : `${name}[${how.key}]`
    return this.passed(scope, full, 'step', () =>
      run.step(name, options, async ({ attempt, idempotencyKey }) => {
        const step = `${scope}${full}`
        const ended = begin(this.hands, { of: 'step', id: this.id, step, lease: this.lease }, attempt, {
          idempotencyKey,
          ...this.after(),
        })
        await this.hands.life.sleep(how.ms)
        if (attempt > how.fails) return ended.returned(ended.body)
        ended.threw()
        throw new Error(`${step} fails ${how.fails} times`)
      }),
    )
  }

  private transaction(run: Run<Database>, scope: string, name: string): Promise<unknown> {
    return this.passed(scope, name, 'transaction', () =>
      run.transaction(name, (tx) => {
        const step = `${scope}${name}`
        const ended = begin(
          this.hands,
          { of: 'transaction', id: this.id, step, lease: this.lease },
          1,
          this.after(),
        )
        tx.prepare('insert into witnesses (run, step, value) values (?, ?, ?)').run(this.id, step, ended.body)
        return ended.returned(ended.body)
      }),
    )
  }

  private after(): { readonly after?: string } {
    return this.last === undefined ? {} : { after: this.last }
  }

  private sleep(run: Run<Database>, name: string, ms: number): Promise<unknown> {
    const reachedMono = this.hands.life.timeline.now
    return this.passed('', name, 'sleep', () => run.sleep(name, ms), { reachedMono, ms })
  }

  private async passed(
    scope: string,
    name: string,
    of: BoundaryPassed['of'],
    work: () => Promise<unknown>,
    sleep?: BoundaryPassed['sleep'],
  ): Promise<unknown> {
    const { recorder, life } = this.hands
    const index = this.counted.get(scope) ?? 0
    this.counted.set(scope, index + 1)
    const tell = (how: BoundaryPassed['how'], value: unknown): void => {
      recorder.add({
        ...recorder.seen(life),
        kind: 'boundary',
        id: this.id,
        lease: this.lease,
        step: `${scope}${name}`,
        scope,
        index,
        of,
        how,
        value: JSON.stringify(value ?? null),
        ...(sleep === undefined ? {} : { sleep }),
      })
    }
    try {
      const value = await work()
      tell('returned', value)
      if (scope === '' && (of === 'step' || of === 'transaction')) this.last = name
      return value
    } catch (error) {
      // A sleep does not throw: what ended it was a cancel, and it was not over.
      if (of !== 'sleep') tell('threw', (error as Error).message)
      throw error
    }
  }
}

interface Ending {
  readonly body: string
  returned<T>(value: T): T
  /** `terminal`: with an error that is not tried again. */
  threw(terminal?: boolean): void
}

/** Writes down that a body begins; the answer writes down how it ended. */
function begin(
  { recorder, life }: Hands,
  what: Omit<BodyOf, 'body'>,
  attempt: number,
  more: { readonly payload?: string; readonly idempotencyKey?: string; readonly after?: string },
): Ending {
  const body = recorder.unique('body-')
  recorder.add({ ...recorder.seen(life), kind: 'started', body, ...what, attempt, ...more })
  const end = (
    how: 'returned' | 'threw',
    result: { readonly value?: string; readonly terminal?: boolean },
  ): void => {
    recorder.add({ ...recorder.seen(life), kind: 'ended', body, ...what, how, ...result })
  }
  return {
    body,
    returned: (value) => {
      end('returned', { value: JSON.stringify(value) })
      return value
    },
    threw: (terminal = false) => {
      end('threw', { terminal })
    },
  }
}

function leaseOf({ life }: Hands, id: string): string {
  return life.leases.get(id) ?? ''
}
