import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from './markdown.js'
import { runFile, Sandbox } from './sandbox.js'

const folder = join(root, 'docs/examples')

/** What each example must have printed, line by line; a step's line may come in any order beside another's. */
const printed: Readonly<Record<string, readonly string[]>> = {
  'welcome-emails.ts': [
    'the same message: true',
    'refused: PayloadError',
    'sent: Welcome, Ada! Welcome, Bob!',
    'dead letter: mail server is down',
    'replayed: 1',
    'sent: Welcome, Eve!',
  ],
  'order-workflow.ts': [
    'the same run: true',
    'recorded charge',
    'recorded record',
    'recorded cool_down',
    'result: {"shipped":true,"by":"Grace"}',
    'pause approval: success',
    'sleep cool_down: success',
    'step charge: success',
    'transaction record: success',
  ],
  'outbox.ts': ['rolled back: the card was declined', 'orders: o-1', 'messages: 1'],
  'cancel-and-resume.ts': [
    'asked to cancel: cancelling',
    'cancelled: nobody needs it any more.',
    'failed: the disk is full',
    'after the retry: {"rows":100}',
  ],
  'operate.ts': [
    'verified: true schema version: 1',
    'while paused, ready: 3',
    'worker: polling healthy',
    'the worker was interrupted',
    'archived: 3 dead: 0 stopped workers: 1',
    'purged: 3',
  ],
  'crash-test.ts': [
    'result: 198',
    'crashes: 15',
    'ran twice: step look_up_fee',
    'ran twice: transaction move',
    'ran twice: step tell',
    'careless: after the body of tell, before its checkpoint',
  ],
}

/** Brings databases of its own, and takes no other. */
const selfContained = ['crash-test.ts']

/** Imported by examples, and no example itself. */
const parts = ['either-database.ts']

describe('examples', () => {
  let sandbox: Sandbox
  beforeEach(() => {
    sandbox = new Sandbox()
  })
  afterEach(() => sandbox.remove())

  it('are all listed here', () => {
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(printed), ...parts].sort())
  })

  for (const [name, lines] of Object.entries(printed)) {
    const databases: [string, () => Promise<string[]>][] = [
      ['on SQLite, which it takes by itself', async () => []],
      ['on Postgres', async () => [await sandbox.postgresDsn()]],
    ]
    const some = selfContained.includes(name) ? databases.slice(0, 1) : databases
    it.each(some)(`${name} %s`, { timeout: 90_000 }, async (_, args) => {
      const output = await runFile(join(folder, name), await args(), root)
      expect(output.split('\n').sort()).toEqual([...lines].sort())
    })
  }
})
