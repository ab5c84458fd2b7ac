import type BetterSqlite3 from 'better-sqlite3'
import { defineQueue, defineWorkflow, type Run, type Store } from '@pgqrs/core'
import { connect as connectPostgres } from '@pgqrs/postgres'
import { connect as connectSqlite } from '@pgqrs/sqlite'
import type { TransactionSql } from 'postgres'
import { payloadFor } from './payload.js'
import { queueName, shortestLease, workflowName } from './pgqrs-names.js'
import type { BenchDatabase, Payload, Session, SessionOptions, WorkerPlan } from './system.js'

const queue = defineQueue<Payload>(queueName)

type Transaction = TransactionSql | BetterSqlite3.Database

async function bodyOf(run: Run<Transaction>, input: Payload, plan: WorkerPlan): Promise<number> {
  switch (input.kind) {
    case 'none':
      return 0
    case 'steps':
      for (let step = 0; step < input.steps; step++) {
        await run.step(`step_${step}`, () => plan.onStep(input, step))
      }
      return input.steps
    case 'transaction':
      return run.transaction('record', (tx) => recordEffect(tx, input.n))
    case 'sleep':
      await run.sleep('an_hour', '1h')
      return 0
  }
}

function recordEffect(tx: Transaction, n: number): number | Promise<number> {
  if ('pragma' in tx) {
    tx.prepare('insert into bench_effects (n) values (?)').run(n)
    return n
  }
  return tx`insert into bench_effects (n) values (${n})`.then(() => n)
}

/** A store of either driver; which of the two transactions it gives is asked where one is used. */
async function connect(database: BenchDatabase): Promise<Store<Transaction>> {
  const store =
    database.store === 'postgres'
      ? await connectPostgres(database.dsn)
      : await connectSqlite(`sqlite:${database.file}`)
  return store as Store<Transaction>
}

type Definition = ReturnType<typeof workflowFor>

function workflowFor(options: SessionOptions, plan?: WorkerPlan) {
  const lease = options.scenario === 'R' ? { lease: shortestLease } : {}
  return defineWorkflow(workflowName, lease, async (run: Run<Transaction>, input: Payload) => {
    if (plan === undefined) throw new Error('this process only triggers')
    return bodyOf(run, input, plan)
  })
}

/** How a worker of pgqrs is set up. */
export interface Settings {
  /** How much it does at once. */
  concurrencyFor(plan: WorkerPlan): number
  /** Whether messages that have succeeded are archived; otherwise they are deleted. */
  readonly keep: boolean
}

/** pgqrs, opened. */
class PgqrsSession implements Session {
  private readonly producer
  private readonly workflow: Definition

  constructor(
    private readonly store: Store<Transaction>,
    private readonly options: SessionOptions,
    private readonly settings: Settings,
  ) {
    this.producer = store.producer(queue)
    this.workflow = workflowFor(options)
  }

  enqueue(payload: Payload): Promise<string> {
    return this.producer.enqueue(payload)
  }

  enqueueMany(payloads: readonly Payload[]): Promise<unknown> {
    return this.producer.enqueueMany(payloads)
  }

  trigger(payload: Payload) {
    return this.store.trigger(this.workflow, payload)
  }

  async startWorker(plan: WorkerPlan) {
    const handled =
      plan.work === 'runs'
        ? workflowFor(this.options, plan)
        : queue.handler((message) => plan.onMessage(message.payload), { keep: this.settings.keep })
    const worker = this.store.worker([handled], { concurrency: this.settings.concurrencyFor(plan) })
    await worker.start()
    return { stop: () => worker.stop() }
  }

  close(): Promise<void> {
    return this.store.close()
  }
}

/** Opens pgqrs. */
export async function openPgqrs(
  database: BenchDatabase,
  options: SessionOptions,
  settings: Settings,
): Promise<Session> {
  return new PgqrsSession(await connect(database), options, settings)
}

/** Creates its tables. */
export async function installPgqrs(database: BenchDatabase): Promise<void> {
  const store = await connect(database)
  await store.admin.install()
  await store.close()
}

/** Enqueues so many messages, by its call for many. */
export async function fillPgqrs(database: BenchDatabase, count: number): Promise<void> {
  const store = await connect(database)
  const producer = store.producer(queue)
  for (let n = 0; n < count; n += 1000) {
    const size = Math.min(1000, count - n)
    await producer.enqueueMany(Array.from({ length: size }, (_, i) => payloadFor(n + i)))
  }
  await store.close()
}
