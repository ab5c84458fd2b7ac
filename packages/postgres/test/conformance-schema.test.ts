import { exercise } from '@pgqrs/conformance'
import { afterAll, beforeAll } from 'vitest'
import { amongProcesses, capabilities, EmptiedDatabase } from './emptied-database.js'

// The search path does not lead to the tables of pgqrs, and none of them may turn up where it does lead. Every
// statement is met without a second process, so what dies, freezes or races in other processes is left to the target
// `postgres`; `processes` alone shows here that children find the schema.
const database = new EmptiedDatabase({ schema: 'app' })
beforeAll(() => database.begin())
afterAll(() => database.end())

exercise(
  { name: 'postgres with a schema', package: '@pgqrs/postgres', capabilities, create: database.create },
  (topic) => topic === 'processes' || !amongProcesses.has(topic),
)
