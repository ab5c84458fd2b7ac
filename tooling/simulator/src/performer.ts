import type { Store } from '@pgqrs/core'
import type { Database } from '@pgqrs/sqlite'
import { answered, type Asked, type Model } from './asked.js'
import { ByHand } from './by-hand.js'
import type { Life } from './life.js'
import type { Requests } from './requests.js'
import type { Action } from './schedule.js'
import { flow, jobs, parcels, type Job, type Plan } from './workload.js'
import type { Process, World } from './world.js'

type Of<Do extends Action['do']> = Extract<Action, { do: Do }>

/** Does what a schedule says, in the name of a process, and keeps the model. */
export class Performer {
  readonly byHand: ByHand
  private n = 0
  private readonly ids

  constructor(
    private readonly world: World,
    private readonly model: Model,
    private readonly requests: Requests,
    /** Ids that a caller makes before it calls. */
    newId: () => string,
  ) {
    this.ids = newId
    this.byHand = new ByHand(model, requests)
  }

  /** The process does it now, or as soon as it can. */
  perform(process: Process, action: Action): void {
    const { life } = process
    life.reach(() => {
      if (this.world.traced) this.world.note(life, `does ${JSON.stringify(action)}`)
      this.act(process, action)
    })
  }

  private act(process: Process, action: Action): void {
    const { life, store } = process
    switch (action.do) {
      case 'enqueue':
        this.enqueue(life, store, action)
        break
      case 'enqueue-many':
        this.enqueueMany(life, store, action)
        break
      case 'enqueue-in-transaction':
        this.enqueueInTransaction(life, store, action)
        break
      case 'trigger':
        this.trigger(life, store, action)
        break
      case 'cancel':
        this.cancel(life, store, action.target)
        break
      case 'resume':
        this.resumeOne(life, store, action.target)
        break
      case 'repeat':
        this.repeat(life, store, action.target)
        break
      case 'replay':
        this.replay(life, store, action.target)
        break
      case 'by-hand':
        this.byHand.claim(life, store, action)
        break
      case 'stop':
        void this.world.restartWorker(process)
        break
      case 'crash':
        this.world.crash(life)
        break
      case 'freeze':
        life.freeze(action.ms)
        break
      case 'jump':
        this.world.jump(3000)
    }
  }

  private enqueue(life: Life, store: Store<Database>, { act, delayMs, key }: Of<'enqueue'>): void {
    const payload: Job = { n: ++this.n, act }
    const named = key === null ? undefined : `k${key}`
    const asked = this.model.ask({ id: this.ids(), queue: 'jobs', payload, key: named }, delayMs)
    this.send(life, store, asked)
  }

  private repeat(life: Life, store: Store<Database>, target: number): void {
    const asked = this.model.pick(target, (one) => one.queue === 'jobs' && one.key === undefined)
    if (asked !== undefined) this.send(life, store, asked)
  }

  private send(life: Life, store: Store<Database>, asked: Asked): void {
    const { id, payload, key, delayMs } = asked
    asked.inDoubt++
    const keyed = key === undefined ? {} : { key }
    this.requests.make(
      life,
      {
        name: 'enqueue',
        messages: [{ id, queue: 'jobs', payload: JSON.stringify(payload), delayMs, ...keyed }],
      },
      () => store.producer(jobs).enqueue(payload as Job, { id, delay: delayMs, ...keyed }),
      (stands) => ({ ids: [stands] }),
      (outcome, stands) => {
        answered(asked, outcome, stands)
      },
    )
  }

  private enqueueMany(life: Life, store: Store<Database>, { count, reject }: Of<'enqueue-many'>): void {
    const all = Array.from({ length: count }, () => {
      const payload: Job = { n: ++this.n, act: { do: 'return' } }
      return this.model.ask({
        id: this.ids(),
        queue: 'jobs',
        payload,
        key: reject ? `k${this.n % 3}` : undefined,
      })
    })
    for (const asked of all) asked.inDoubt++
    this.requests.make(
      life,
      {
        name: 'enqueue',
        batch: true,
        onConflict: reject ? 'reject' : 'ignore',
        messages: all.map(({ id, queue, payload, key }) => ({
          id,
          queue,
          payload: JSON.stringify(payload),
          ...(key === undefined ? {} : { key }),
        })),
      },
      () =>
        store.producer(jobs).enqueueMany(
          all.map(({ payload }) => payload as Job),
          {
            each: (_, index) => {
              const { id = '', key } = all[index] ?? {}
              return { id, onConflict: reject ? 'reject' : 'ignore', ...(key === undefined ? {} : { key }) }
            },
          },
        ),
      (ids) => ({ ids }),
      (outcome, ids) => {
        all.forEach((asked, index) => {
          answered(asked, outcome, ids?.[index])
        })
      },
    )
  }

  /** As better-sqlite3 has it: synchronous, so it is committed or rolled back before anything else happens. */
  private enqueueInTransaction(
    life: Life,
    store: Store<Database>,
    { commit }: Of<'enqueue-in-transaction'>,
  ): void {
    const { db } = this.world.arena
    const payload: Job = { n: ++this.n, act: { do: 'return' } }
    const asked = this.model.ask({ id: this.ids(), queue: 'parcels', payload, key: undefined })
    asked.inDoubt++
    const witness = asked.id
    db.exec('begin immediate')
    db.prepare('insert into witnesses (witness) values (?)').run(witness)
    this.requests.make(
      life,
      {
        name: 'enqueue',
        witness,
        messages: [{ id: asked.id, queue: 'parcels', payload: JSON.stringify(payload) }],
      },
      async () => {
        const id = await store.producer(parcels).enqueue(payload, { id: asked.id, tx: db })
        if (!commit) throw new Error('rolled back by the caller')
        return id
      },
      (id) => ({ ids: [id] }),
      (outcome, id) => {
        answered(asked, outcome, id)
      },
    )
    db.exec(commit ? 'commit' : 'rollback')
    if (commit) this.world.recorder.commit(life)
    else this.world.recorder.rollBack()
  }

  private trigger(life: Life, store: Store<Database>, { parts, throws, key }: Of<'trigger'>): void {
    const payload: Plan = { n: ++this.n, parts, throws }
    const keyed = key === null ? {} : { key: `k${key}` }
    const asked = this.model.ask({ id: this.ids(), queue: 'flow', payload, key: keyed.key })
    asked.inDoubt++
    this.requests.make(
      life,
      {
        name: 'enqueue',
        messages: [{ id: asked.id, queue: 'flow', payload: JSON.stringify(payload), ...keyed }],
      },
      () => store.trigger(flow, payload, { id: asked.id, ...keyed }),
      (handle) => ({ ids: [handle.id] }),
      (outcome, handle) => {
        answered(asked, outcome, handle?.id)
        if (handle !== undefined) this.awaitResult(life, store, handle.id)
      },
    )
  }

  /** Somebody waits for the result of each run for as long as it takes. */
  private awaitResult(life: Life, store: Store<Database>, id: string): void {
    this.requests.make(
      life,
      { name: 'result', id },
      () => store.run<unknown>('flow', id).result(),
      (output) => ({ status: 'success', output: JSON.stringify(output) }),
    )
  }

  private cancel(life: Life, store: Store<Database>, target: number): void {
    const asked = this.model.pick(target)
    if (asked === undefined) return
    asked.cancels++
    this.requests.make(
      life,
      { name: 'cancel', id: asked.id },
      () => store.admin.messages.cancel(asked.id),
      (status) => ({ status }),
      (outcome, status) => {
        if (outcome === 'ok' && status !== undefined) asked.cancelled.push(status)
      },
    )
  }

  private resumeOne(life: Life, store: Store<Database>, target: number): void {
    const asked = this.model.pick(target, (one) => one.queue === 'flow')
    if (asked !== undefined) this.resume(life, store, asked)
  }

  /** Ends every pause of a run, those it has not come to included. */
  resume(life: Life, store: Store<Database>, asked: Asked): void {
    const { parts } = asked.payload as Plan
    parts.forEach((part, at) => {
      if (part.do !== 'pause') return
      const step = `pause${at}`
      this.requests.make(
        life,
        { name: 'signal', id: asked.id, step, payload: JSON.stringify(asked.id) },
        () => store.run('flow', asked.id).resume(step, asked.id),
        (taken) => ({ taken }),
      )
    })
  }

  private replay(life: Life, store: Store<Database>, target: number): void {
    const asked = this.model.pick(target)
    if (asked === undefined) return
    asked.replays++
    this.requests.make(
      life,
      { name: 'retry', id: asked.id },
      () => store.admin.dead.replay(asked.id),
      () => ({
        taken: true,
      }),
    )
  }
}
