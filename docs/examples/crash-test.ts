// A crash at every boundary: what a workflow does when its process dies anywhere on its way, and how a careless one is
// found out. It brings its own databases: one in memory for each crash.
import Database from 'better-sqlite3'
import { defineWorkflow } from '@pgqrs/core'
import { crashAtEveryBoundary, CrashTestError } from '@pgqrs/core/testing'
import { connect } from '@pgqrs/sqlite'

/** A shop's mail server, as a test has it. */
const mails: string[] = []
let db: Database.Database

const transfer = defineWorkflow<{ amount: number }, number, Database.Database>(
  'transfer',
  async (run, { amount }) => {
    const fee = await run.step('look_up_fee', () => amount / 100)
    // Its writes and its checkpoint are one commit: there once, wherever the process dies.
    await run.transaction('move', (tx) => {
      tx.prepare('update accounts set balance = balance + ? where name = ?').run(amount - fee, 'ada')
    })
    await run.sleep('a_day', '1d')
    await run.step('tell', ({ idempotencyKey }) => {
      // A mail server that recognises a repeated request.
      if (!mails.includes(idempotencyKey)) mails.push(idempotencyKey)
    })
    return amount - fee
  },
)

const report = await crashAtEveryBoundary(
  transfer,
  { amount: 200 },
  {
    connect: (options) => {
      db = new Database(':memory:')
      db.exec("create table accounts (name text, balance real); insert into accounts values ('ada', 0)")
      mails.length = 0
      return connect({ client: db, ...options })
    },
    effects: () => [db.prepare('select * from accounts').all(), mails.length],
    repeatable: ['look_up_fee', 'tell'],
  },
)
console.log('result:', report.output)
console.log('crashes:', report.crashes.length)
for (const { kind, step } of report.repeated) console.log('ran twice:', kind, step)

const careless = defineWorkflow('careless', async (run) => {
  await run.step('tell', () => void mails.push('a mail that nobody recognises'))
})

try {
  await crashAtEveryBoundary(careless, undefined, {
    prepare: () => {
      mails.length = 0
    },
    effects: () => mails.length,
  })
} catch (error) {
  if (!(error instanceof CrashTestError)) throw error
  console.log('careless:', error.crash)
}
