/*
 * A prototype: would it pay to split the table of messages in two? `one table` is pgqrs_messages as it is. `split` has a
 * table of unfinished messages with what a claim changes, and one with payload and outcome. Both get the same jobs
 * through hand-written statements of the same shape. Measured are the CPU time of the backend, which a busy machine does not distort as
 * it does wall time, and the WAL. docs/architecture.md has what came out. It takes some minutes:
 *
 *   node --conditions=@pgqrs/source --import tsx tooling/bench/src/prototypes/hot-cold.ts [--quick] [--held]
 *
 * With --held it looks only at what a snapshot costs that is held.
 */
import { readFileSync } from 'node:fs'
import { startPostgres } from '@pgqrs/test-database'
import postgres, { type Sql } from 'postgres'
import { median } from '../statistics.js'
import { oneTable, split, type Design } from './hot-cold-designs.js'

const quick = process.argv.includes('--quick')
const heldOnly = process.argv.includes('--held')
const JOBS = quick ? 10_000 : 50_000
const ROUNDS = heldOnly ? 0 : quick ? 1 : 3
const HELD_JOBS = quick ? 20_000 : 200_000
const INSERTED_AT_ONCE = 1000
const TICKS_PER_SECOND = 100
const designs = [oneTable, split]

/** What a phase has cost for each job. */
interface Cost {
  readonly cpuMicros: number
  readonly walBytes: number
}

/** One backend, with the account of what it uses. */
class Backend {
  private constructor(
    private readonly sql: Sql,
    private readonly pid: number,
  ) {}

  static async on(dsn: string): Promise<Backend> {
    // Some hundred rows by their ids: a plan that suits the statistics of a table that grows would be a matter of luck.
    const off = ['seqscan', 'bitmapscan', 'sort', 'hashjoin', 'mergejoin']
    const connection = Object.fromEntries(off.map((way) => [`enable_${way}`, 'off']))
    const sql = postgres(dsn, { max: 1, onnotice: () => undefined, connection })
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
    return new Backend(sql, row?.pid ?? 0)
  }

  /** Executes a prepared statement. */
  async run(text: string, ...values: unknown[]): Promise<readonly { id: string }[]> {
    return this.sql.unsafe<{ id: string }[]>(text, values as never[], { prepare: true })
  }

  /** Executes a script. */
  async script(text: string): Promise<void> {
    await this.sql.unsafe(text).simple()
  }

  /** What `work` costs for each of so many jobs. */
  async cost(jobs: number, work: () => Promise<void>): Promise<Cost> {
    const before = await this.account()
    await work()
    const after = await this.account()
    return {
      cpuMicros: ((after.ticks - before.ticks) * 1e6) / TICKS_PER_SECOND / jobs,
      walBytes: (after.wal - before.wal) / jobs,
    }
  }

  async end(): Promise<void> {
    await this.sql.end()
  }

  private async account(): Promise<{ ticks: number; wal: number }> {
    const [row] = await this.sql<{ wal: string }[]>`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal`
    // The name of the program, in parentheses, may have spaces in it.
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return { ticks: Number(stat[11]) + Number(stat[12]), wal: Number(row?.wal) }
  }
}

/** Jobs that pass through the tables of a design. */
class Jobs {
  constructor(
    private readonly backend: Backend,
    private readonly design: Design,
    private readonly payload: string,
  ) {}

  async insert(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += INSERTED_AT_ONCE) {
      await this.backend.run(this.design.insert, INSERTED_AT_ONCE, this.payload)
    }
  }

  /** Claims everything there is, so many at a time. */
  async claim(limit: number): Promise<string[][]> {
    const claimed: string[][] = []
    for (;;) {
      const rows = await this.backend.run(this.design.claim, limit)
      if (rows.length === 0) return claimed
      claimed.push(rows.map((row) => row.id))
    }
  }

  async finish(claimed: readonly string[][]): Promise<void> {
    for (const ids of claimed) await this.backend.run(this.design.finish, `{${ids.join()}}`)
  }
}

const figures = new Map<string, Map<string, Cost[]>>()

function note(what: string, design: Design, cost: Cost): void {
  const of = figures.get(what) ?? new Map<string, Cost[]>()
  figures.set(what, of)
  of.set(design.name, [...(of.get(design.name) ?? []), cost])
}

async function throughPhases(backend: Backend, design: Design, bytes: number, limit: number): Promise<void> {
  const named = (phase: string): string => `${phase}, payload of ${bytes} bytes`
  const jobs = new Jobs(backend, design, 'x'.repeat(bytes))
  await backend.script(`${design.drop}; ${design.create}; checkpoint`)
  const inserting = await backend.cost(JOBS, () => jobs.insert(JOBS))
  await backend.script(`analyze`)
  let claimed: string[][] = []
  const claiming = await backend.cost(JOBS, async () => void (claimed = await jobs.claim(limit)))
  const finishing = await backend.cost(JOBS, () => jobs.finish(claimed))
  const vacuuming = await backend.cost(JOBS, () => backend.script(design.vacuum))
  note(named(`insert by ${INSERTED_AT_ONCE}`), design, inserting)
  note(named(`claim by ${limit}`), design, claiming)
  note(named(`finish by ${limit}`), design, finishing)
  note(named(`vacuum after all, claims by ${limit}`), design, vacuuming)
  const all = [inserting, claiming, finishing, vacuuming]
  note(named(`ALL by ${limit}`), design, {
    cpuMicros: all.reduce((sum, cost) => sum + cost.cpuMicros, 0),
    walBytes: all.reduce((sum, cost) => sum + cost.walBytes, 0),
  })
}

/** With a snapshot that is held, nothing dead can be removed, and claims come by all of it. */
async function underHeldSnapshot(backend: Backend, design: Design, dsn: string): Promise<void> {
  const jobs = new Jobs(backend, design, 'x'.repeat(80))
  await backend.script(`${design.drop}; ${design.create}; checkpoint`)
  await jobs.insert(INSERTED_AT_ONCE)
  await jobs.finish(await jobs.claim(500))
  await backend.script('analyze')
  const holder = await Backend.on(dsn)
  await holder.script('begin isolation level repeatable read; select 1')
  const tenth = HELD_JOBS / 10
  for (let part = 1; part <= 10; part++) {
    const cost = await backend.cost(tenth, async () => {
      for (let sent = 0; sent < tenth; sent += INSERTED_AT_ONCE) {
        await jobs.insert(INSERTED_AT_ONCE)
        await jobs.finish(await jobs.claim(500))
      }
    })
    if (part === 1 || part === 10)
      note(
        `snapshot held: all of a job, ${part === 1 ? 'first' : 'last'} tenth of ${HELD_JOBS}`,
        design,
        cost,
      )
  }
  await holder.end()
}

const settings = {
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '20GB',
  shared_buffers: '256MB',
}
const server = await startPostgres({ version: '18', fresh: true, settings })
try {
  const backend = await Backend.on(server.dsn)
  for (let round = 0; round < ROUNDS; round++) {
    for (const bytes of [80, 1000]) {
      for (const limit of [100, 500]) {
        for (const design of designs) await throughPhases(backend, design, bytes, limit)
      }
    }
  }
  for (const design of designs) await underHeldSnapshot(backend, design, server.dsn)
  await backend.end()
} finally {
  await server.stop()
}
for (const [what, of] of figures) {
  const told = designs.map(({ name }) => {
    const costs = of.get(name) ?? []
    const cpu = median(costs.map((cost) => cost.cpuMicros)).toFixed(1)
    const wal = median(costs.map((cost) => cost.walBytes)).toFixed(0)
    return `${name}: ${cpu} µs, ${wal} B of WAL`
  })
  console.log(`${what.padEnd(60)} ${told.join('   ')}`)
}
