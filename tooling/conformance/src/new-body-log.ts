import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { BodyLog } from './body-log.js'

/** An empty log that is removed when the test has finished. */
export function newBodyLog(): BodyLog {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-bodies-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const file = join(folder, 'bodies.log')
  writeFileSync(file, '')
  return new BodyLog(file)
}
