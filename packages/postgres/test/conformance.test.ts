import { exercise } from '@pgqrs/conformance'
import { amongProcesses, capabilities, emptiedDatabase } from './emptied-database.js'

// The other half, which mostly waits for processes, runs beside this one: conformance-processes.test.ts.
const create = emptiedDatabase()

exercise(
  { name: 'postgres', package: '@pgqrs/postgres', capabilities, create },
  (topic) => !amongProcesses.has(topic),
)
