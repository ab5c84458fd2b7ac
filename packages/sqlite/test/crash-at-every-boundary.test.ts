import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, TerminalError, type Store } from '@pgqrs/core'
import { crashAtEveryBoundary, CrashTestError } from '@pgqrs/core/testing'
import { connect, type Database } from '../src/index.js'

const pure = defineWorkflow('pure', async (run, input: { n: number }) => {
  const doubled = await run.step('double', () => input.n * 2)
  const [sum = 0] = await run.map('add', [1, 2], async (n, inner) => inner.step('one', () => doubled + n))
  await run.sleep('a_month', '30d')
  return { doubled, sum }
})

describe('crashAtEveryBoundary', () => {
  it('dies at every point of the way, and gives one result', async () => {
    const report = await crashAtEveryBoundary(pure, { n: 4 })
    expect(report.output).toEqual({ doubled: 8, sum: 9 })
    expect(report.crashes).toEqual([
      'after the claim of the run',
      'before the body of double',
      'after the body of double, before its checkpoint',
      'after the checkpoint of double',
      'before the body of add[0]/one',
      'before the body of add[1]/one',
      'after the body of add[0]/one, before its checkpoint',
      'after the body of add[1]/one, before its checkpoint',
      'after the checkpoint of add[0]/one',
      'after the checkpoint of add[1]/one',
      'before the wait a_month',
      'after the run was put down',
      'after the wait a_month',
      'after the last boundary, before the completion',
      'after the completion, before its answer',
    ])
  })

  it('reports the bodies that ran twice, and the crashes that made it so', async () => {
    const { repeated } = await crashAtEveryBoundary(pure, { n: 4 })
    expect(repeated.map(({ step, kind }) => `${kind} ${step}`)).toEqual([
      'step double',
      'step add[0]/one',
      'step add[1]/one',
    ])
    expect(repeated[0]?.after).toEqual(['after the body of double, before its checkpoint'])
  })

  it('fails for an effect outside of the database that happens twice and is not declared', async () => {
    const mails: string[] = []
    const careless = defineWorkflow('careless', async (run) => {
      await run.step('mail', () => void mails.push('to Ada'))
    })
    await expect(crashAtEveryBoundary(careless, undefined, { repeatable: [] })).rejects.toThrow(
      'The body of step mail ran twice after a crash after the body of mail, before its checkpoint',
    )
    await expect(
      crashAtEveryBoundary(careless, undefined, {
        repeatable: ['mail'],
        prepare: () => void mails.splice(0),
        effects: () => mails.length,
      }),
    ).rejects.toMatchObject({
      name: 'CrashTestError',
      crash: 'after the body of mail, before its checkpoint',
      message: expect.stringContaining('without it: 1\n  with it:    2'),
    })
  })

  it('fails for an effect between the boundaries, which happens with every replay', async () => {
    let effects = 0
    const leaky = defineWorkflow('leaky', async (run) => {
      effects++
      await run.step('harmless', () => 1)
    })
    const checked = crashAtEveryBoundary(leaky, undefined, {
      prepare: () => void (effects = 0),
      effects: () => effects,
    })
    await expect(checked).rejects.toThrow(
      'The run had other effects after a crash before the body of harmless',
    )
  })

  it('fails for a result that is not the same in a replay', async () => {
    let passes = 0
    const moody = defineWorkflow('moody', async (run) => {
      const pass = ++passes
      await run.step('work', () => 1)
      return pass
    })
    const checked = crashAtEveryBoundary(moody, undefined, { prepare: () => void (passes = 0) })
    await expect(checked).rejects.toThrow(/The run ended otherwise.*\n\s+without it: 1\n\s+with it:\s+2/)
  })

  it('passes a service that recognises the idempotency key', async () => {
    const charges = new Map<string, number>()
    const careful = defineWorkflow('careful', async (run) => {
      await run.step('charge', ({ idempotencyKey }) => void charges.set(idempotencyKey, 10))
    })
    const { repeated } = await crashAtEveryBoundary(careful, undefined, {
      prepare: () => {
        charges.clear()
      },
      repeatable: ['charge'],
      effects: () => [...charges.values()],
    })
    expect(repeated.map(({ step }) => step)).toEqual(['charge'])
  })

  it('shows that a transaction is there once, though its body ran twice', async () => {
    let db: Database
    const transfer = defineWorkflow<undefined, number, Database>('transfer', async (run) =>
      run.transaction('move', (tx) => {
        tx.exec('insert into moves (amount) values (10)')
        return 10
      }),
    )
    const report = await crashAtEveryBoundary(transfer, undefined, {
      connect: (options) => {
        db = new BetterSqlite3(':memory:')
        db.exec('create table moves (amount integer)')
        return connect({ client: db, ...options })
      },
      effects: () => db.prepare('select amount from moves').all(),
    })
    expect(report.repeated).toEqual([
      { step: 'move', kind: 'transaction', after: ['after the body of move, before its commit'] },
    ])
    expect(report.crashes).toContain('after the commit of move')
  })

  it('ends pauses, and says which one nobody ends', async () => {
    const approval = defineWorkflow('approval', async (run) => run.pause<string>('boss'))
    const { output, crashes } = await crashAtEveryBoundary(approval, undefined, { resume: { boss: 'yes' } })
    expect(output).toEqual({ resumed: true, value: 'yes' })
    expect(crashes).toContain('before the wait boss')
    await expect(crashAtEveryBoundary(approval, undefined)).rejects.toThrow('name its pause in resume')
  })

  it('says which pause of resume the run never comes by', async () => {
    const patient = defineWorkflow('patient', async (run) => run.pause('boss', { timeout: '1d' }))
    await expect(crashAtEveryBoundary(patient, undefined, { resume: { bos: 'yes' } })).rejects.toThrow(
      'resume names "bos", but the run came by no such pause. It came by "boss".',
    )
  })

  it('takes a failure for a result like any other', async () => {
    const failing = defineWorkflow('failing', async (run) => {
      await run.step('break', () => {
        throw new TerminalError('it is broken')
      })
    })
    const { crashes, error, output } = await crashAtEveryBoundary(failing, undefined)
    expect(error).toMatchObject({ name: 'TerminalError', message: 'it is broken' })
    expect(output).toBeUndefined()
    expect(crashes).toContain('before the body of break')
  })

  it('dies between a body that throws and the record of it', async () => {
    const stubborn = defineWorkflow('stubborn', async (run) =>
      run.step('try', { retry: { maxAttempts: 2, delay: '1h' } }, ({ attempt }) => {
        if (attempt === 1) throw new Error('not yet')
        return attempt
      }),
    )
    const point = 'after the body of try has thrown, before that is recorded'
    const { output, error, crashes, repeated } = await crashAtEveryBoundary(stubborn, undefined)
    expect([output, error]).toEqual([2, undefined])
    expect(crashes).toContain(point)
    expect(repeated).toEqual([
      { step: 'try', kind: 'step', after: [point, 'after the body of try, before its checkpoint'] },
    ])
  })

  it('runs what else the run makes use of', async () => {
    const letters = defineQueue<string>('letters')
    const received: string[] = []
    let opened: Store<Database> | undefined
    const sending = defineWorkflow('sending', async (run) => {
      await run.step('send', async ({ idempotencyKey }) =>
        opened?.producer(letters).enqueue(idempotencyKey, { key: 'one' }),
      )
      await run.sleep('until_read', '1m')
      return received.length > 0
    })
    const { output } = await crashAtEveryBoundary(sending, undefined, {
      runnables: [letters.handler((message) => void received.push(message.payload))],
      prepare: (store) => {
        opened = store
        received.length = 0
      },
    })
    expect(output).toBe(true)
  })

  it('names a workflow that takes another way each time', async () => {
    let n = 0
    const wild = defineWorkflow('wild', async (run) => run.step(`step-${n++}`, () => 0))
    await expect(crashAtEveryBoundary(wild, undefined)).rejects.toBeInstanceOf(CrashTestError)
  })
})
