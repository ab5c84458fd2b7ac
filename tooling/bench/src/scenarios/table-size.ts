import postgres from 'postgres'
import { Trial, type Metric, type Scenario, type Values } from '../scenario.js'
import { median } from '../statistics.js'
import type { BenchDatabase } from '../system.js'

type What = 'archived' | 'ready' | 'delayed' | 'leased'

interface Stage {
  readonly name: string
  readonly title: string
  /** What is put there in addition to the stage before. */
  readonly grow?: readonly [What, number]
  readonly heldXmin?: boolean
}

/** One after the other in the same table. */
const archive: readonly Stage[] = [
  { name: 'S 0', title: 'an empty table' },
  { name: 'S 100k archived', title: '100 k archived', grow: ['archived', 100_000] },
  { name: 'S 1M archived', title: '1 M archived', grow: ['archived', 900_000] },
  { name: 'S 10M archived', title: '10 M archived', grow: ['archived', 9_000_000] },
]

/** Each in a table of its own. */
const beside: readonly Stage[] = [
  { name: 'S 1M ready', title: '1 M ready in another queue', grow: ['ready', 1_000_000] },
  { name: 'S 1M delayed', title: '1 M delayed in the same queue', grow: ['delayed', 1_000_000] },
  { name: 'S 100k leased', title: '100 k leased in the same queue', grow: ['leased', 100_000] },
  { name: 'S xmin', title: 'a transaction open all the time', heldXmin: true },
]

const messages = 20_000
const repeats = 3
const concurrency = 100

/** S: what it costs to enqueue and drain some messages while the table holds something else besides. */
export const tableSize: Scenario = {
  name: 'S',
  title: `Drain of ${messages} messages as the table grows`,
  metrics: [...archive, ...beside].flatMap(({ name, title }): Metric[] => [
    { name, title: `drain with ${title}`, unit: 'messages/s', better: 'higher' },
    { name: `${name} cpu`, title: `server's CPU with ${title}`, unit: 'ms per 1,000', better: 'lower' },
  ]),
  rounds: 'once',
  refuses: (system) => (system.grow === undefined ? 'its tables cannot be grown by the bench' : undefined),
  async measure(trial) {
    const { databases, quick } = trial
    await databases.settle(trial.database)
    const empty = await databases.create(trial.database)
    let values: Values = {}
    for (const stage of quick ? archive.slice(0, 2) : archive) {
      values = { ...values, ...(await measureStage(trial, trial.database, stage)) }
    }
    for (const stage of beside) {
      const database = await databases.create(empty)
      values = { ...values, ...(await measureStage(trial, database, smaller(stage, quick))) }
      await databases.drop(database)
    }
    await databases.drop(empty)
    return { values, ...(quick ? { remark: 'quick: a tenth of the rows' } : {}) }
  },
}

function smaller(stage: Stage, quick: boolean): Stage {
  if (!quick || stage.grow === undefined) return stage
  return { ...stage, grow: [stage.grow[0], stage.grow[1] / 10] }
}

async function measureStage(of: Trial, database: BenchDatabase, stage: Stage): Promise<Values> {
  const trial = new Trial(of.system, 'S', of.databases, database, of.quick, 0)
  if (stage.grow !== undefined) await of.system.grow?.(database, ...stage.grow)
  const holder = stage.heldXmin === true ? await holdXmin(database) : undefined
  try {
    const drained: Drained[] = []
    const times = of.quick ? 1 : repeats
    // A held snapshot is felt only after something has died under it.
    for (let i = 0; i < (holder === undefined ? times : times + 2); i++) drained.push(await drainOnce(trial))
    const counted = drained.slice(-times)
    return {
      [stage.name]: median(counted.map(({ rate }) => rate)),
      [`${stage.name} cpu`]: median(counted.map(({ serverCpuMs }) => serverCpuMs)) * 1000,
    }
  } finally {
    await holder?.end({ timeout: 1 })
    await trial.close()
  }
}

interface Drained {
  readonly rate: number
  readonly serverCpuMs: number
}

async function drainOnce(trial: Trial): Promise<Drained> {
  const besides = await trial.unfinished('messages')
  const producer = await trial.open('producer', 'messages', 1)
  await producer.call('fill', messages, 60_000)
  await producer.close()
  const worker = await trial.open('worker', 'messages', concurrency)
  const before = await trial.usage()
  await worker.call('startWorker', 'messages', concurrency, 'return', false)
  await worker.call('untilStarted', messages, 60_000)
  // A graceful stop ends after the last commit; to count a million rows again and again would be measured, too.
  await worker.call('stopWorker')
  const after = await trial.usage()
  await worker.close()
  trial.mustBe('messages that are left', await trial.unfinished('messages'), besides)
  return {
    rate: (messages / (after.atMs - before.atMs)) * 1000,
    serverCpuMs: ((after.serverCpuMs ?? NaN) - (before.serverCpuMs ?? NaN)) / messages,
  }
}

/** A connection with a snapshot that no vacuum may clean up behind. */
async function holdXmin(database: BenchDatabase): Promise<postgres.Sql> {
  const sql = postgres(database.store === 'postgres' ? database.dsn : '', {
    max: 1,
    onnotice: () => undefined,
  })
  await sql.unsafe('begin isolation level repeatable read')
  await sql.unsafe('select count(*) from bench_effects')
  return sql
}
