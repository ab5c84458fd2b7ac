/** Starts a server, tells where it is, and waits to be killed; with the argument `end` it just ends. */
import { startPostgres } from '../../src/index.js'
import { tracesOf } from '../running.js'

const server = await startPostgres({ fresh: true })
const sql = await tracesOf(server.dsn)
console.log(`started ${JSON.stringify(sql)}`)
if (process.argv[2] !== 'end') setInterval(() => {}, 1000)
