import type { CheckpointState, HistoryWriter, MessageState, Unseen, WitnessRow } from '@pgqrs/checker'
import type { ChaosDatabase, Row } from './databases/database.js'
import { checkpointState, messageState } from './databases/tables.js'

type Transition = Unseen & { seq: number }

/** Writes everything that the database has to tell into the history: every change, and how the rows stand in the end. */
export async function readDatabase(
  database: ChaosDatabase,
  history: HistoryWriter,
  epochMs: number,
): Promise<void> {
  for (const row of await database.query('select * from chaos_log order by seq')) {
    const at = Number(row['at'])
    history.append({ ...transition(row, at), process: 'database', mono: at - epochMs, wall: at })
  }
  await messagesAndSteps(database, history)
  await others(database, history)
}

function transition(row: Row, dbAt: number): Transition {
  const seq = Number(row['seq'])
  const id = text(row['id'])
  const tx = row['tx'] === null ? {} : { tx: text(row['tx']) }
  if (row['what'] === 'message') {
    const [before, after] = [state<MessageState>(row['before']), state<MessageState>(row['after'])]
    return { kind: 'message', seq, dbAt, id, before, after, ...tx }
  }
  return {
    kind: 'checkpoint',
    seq,
    dbAt,
    run: id,
    step: text(row['step']),
    before: state<CheckpointState>(row['before']),
    after: state<CheckpointState>(row['after']),
    runLease: row['run_lease'] === null ? null : text(row['run_lease']),
    runStatus: row['run_status'] === null ? null : (text(row['run_status']) as MessageState['status']),
    ...tx,
  }
}

async function messagesAndSteps(database: ChaosDatabase, history: HistoryWriter): Promise<void> {
  const family = database.kind === 'postgres' ? 'postgres' : 'sqlite'
  const messages = await database.query(
    `select m.id as id, ${messageState(family)} as state from pgqrs_messages m order by m.id`,
  )
  for (const row of messages) {
    const own = state<MessageState>(row['state'])
    if (own !== null) history.append({ kind: 'row', table: 'messages', id: text(row['id']), ...own })
  }
  const steps = await database.query(
    `select m.run_id as run, m.name as step, ${checkpointState(family)} as state from pgqrs_steps m order by 1, 2`,
  )
  for (const row of steps) {
    const own = state<CheckpointState>(row['state'])
    if (own === null) continue
    history.append({ kind: 'row', table: 'steps', run: text(row['run']), step: text(row['step']), ...own })
  }
}

async function others(database: ChaosDatabase, history: HistoryWriter): Promise<void> {
  const heartbeat =
    database.kind === 'postgres' ? '(extract(epoch from w.heartbeat_at) * 1000)::float8' : 'w.heartbeat_at'
  const workers = await database.query(`select w.id, w.status, ${heartbeat} as heartbeat_at,
    (select count(*) from pgqrs_messages m where m.worker_id = w.id and m.finished_at is null
      and m.status in ('running', 'cancelling')) as held from pgqrs_workers w`)
  for (const row of workers) {
    history.append({
      kind: 'row',
      table: 'workers',
      id: text(row['id']),
      status: text(row['status']),
      heartbeatAt: Number(row['heartbeat_at']),
      held: Number(row['held']),
    })
  }
  for (const row of await database.query(
    'select queue, status, sum(n) as n from pgqrs_tallies group by 1, 2',
  )) {
    const [queue, status] = [text(row['queue']), text(row['status'])]
    history.append({ kind: 'row', table: 'tallies', queue, status, n: Number(row['n']) })
  }
  for (const row of await database.query('select account, balance from chaos_accounts')) {
    const balance = Number(row['balance'])
    history.append({ kind: 'row', table: 'accounts', account: text(row['account']), balance })
  }
  for (const row of await database.query('select * from chaos_witnesses')) history.append(witness(row))
  for (const row of await database.query('select list, elements from chaos_lists')) {
    const elements = text(row['elements']).split(',').filter(Boolean).map(Number)
    history.append({ kind: 'row', table: 'lists', list: text(row['list']), elements })
  }
}

function witness(row: Row): Unseen {
  if (row['witness'] !== null) return { kind: 'row', table: 'witnesses', witness: text(row['witness']) }
  const own: Omit<WitnessRow, 'table'> = {
    run: text(row['run']),
    step: text(row['step']),
    from: text(row['from_account']),
    to: text(row['to_account']),
    amount: Number(row['amount']),
    value: JSON.stringify(text(row['value'])),
  }
  return { kind: 'row', table: 'witnesses', ...own }
}

function state<T>(cell: unknown): T | null {
  return typeof cell === 'string' ? (JSON.parse(cell) as T) : null
}

function text(cell: unknown): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell)
}
