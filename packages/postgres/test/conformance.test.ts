import { exercise } from '@pgqrs/conformance'
import { afterAll, beforeAll } from 'vitest'
import { amongProcesses, capabilities, EmptiedDatabase } from './emptied-database.js'

// The other half, which mostly waits for processes, runs beside this one: conformance-processes.test.ts.
const database = new EmptiedDatabase()
beforeAll(() => database.begin())
afterAll(() => database.end())

exercise(
  { name: 'postgres', package: '@pgqrs/postgres', capabilities, create: database.create },
  (topic) => !amongProcesses.has(topic),
)
