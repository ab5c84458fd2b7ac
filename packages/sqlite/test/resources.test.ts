import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectFlat, startSteadyLoad } from '@pgqrs/conformance'
import { it, onTestFinished } from 'vitest'

it('200,000 messages and 2,000 stores that open and close leave memory, timers, listeners and files flat', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-steady-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  // What is in use does not depend on how often the disk is synced.
  const options = { synchronous: 'normal' }
  const load = { messages: 200_000, stores: 2000, cuts: false, options }
  const child = await startSteadyLoad('@pgqrs/sqlite', `sqlite:${join(folder, 'steady.db')}`, load)
  await expectFlat(child)
}, 250_000)
