// Holds the write lock of the database file in argv[2] until it is killed.
import { createClient } from '@libsql/client'

const client = createClient({ url: `file:${process.argv[2] ?? ''}`, timeout: 5000 })
const tx = await client.transaction('write')
await tx.execute('create table if not exists held (a)')
console.log('locked')
setInterval(() => tx.closed, 1000)
