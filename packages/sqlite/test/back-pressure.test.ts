import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectBounded, type Row } from '@pgqrs/conformance'
import Database from 'better-sqlite3'
import { it, onTestFinished } from 'vitest'

it('refuses what may not wait of 100,000 calls, in bounded memory, and commits the others once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-many-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const file = join(folder, 'many.db')
  await expectBounded('@pgqrs/sqlite', `sqlite:${file}`, (sql) => {
    const db = new Database(file, { readonly: true })
    try {
      return Promise.resolve(db.prepare<[], Row>(sql).all())
    } finally {
      db.close()
    }
  })
}, 120_000)
