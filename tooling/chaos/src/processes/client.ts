// A producer or operator of the load: makes the planned calls at their times, and ends when all of them have ended.
import { Caller } from './caller.js'
import { connectWithDriver } from './connect.js'
import { makePlannedCalls, type CallerSetup } from './planned-calls.js'
import { mono, openHistory, readSetup } from './setup.js'

const bornAt = mono()
const setup = readSetup<CallerSetup>()
const history = openHistory(setup)
const { store, driver } = await connectWithDriver(setup)
const caller = new Caller(setup, store, driver, history)

const stop = new AbortController()
process.on('SIGTERM', () => {
  stop.abort()
})
console.log('ready')
console.log('working')
await makePlannedCalls(caller, setup, bornAt, stop.signal)
await store.close()
