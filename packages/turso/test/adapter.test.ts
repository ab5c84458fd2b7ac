import { createClient } from '@libsql/client'
import { fromLibsql, InvalidArgumentError } from '@pgqrs/core'
import { expect, it, onTestFinished } from 'vitest'

it('fromLibsql takes a transaction, in which it executes, and refuses the client beside it', async () => {
  const client = createClient({ url: ':memory:' })
  onTestFinished(() => {
    client.close()
  })
  expect(() => fromLibsql(client as never)).toThrow(InvalidArgumentError)
  const tx = await client.transaction('write')
  const rows = await fromLibsql(tx).query('select ? as n, ? as text', [7, 'a'])
  expect(rows).toEqual([{ n: 7, text: 'a' }])
  await tx.rollback()
})
