import { exercise } from '@pgqrs/conformance'
import { afterAll, beforeAll } from 'vitest'
import { EmptiedDatabase } from './emptied-database.js'

// The tables of pgqrs are not where the search path leads, and none may turn up there.
const database = new EmptiedDatabase({ schema: 'app' })
beforeAll(() => database.begin())
afterAll(() => database.end())

exercise({
  name: 'postgres with a schema',
  package: '@pgqrs/postgres',
  capabilities: { wake: 'push', oneWriter: false, clock: 'database', shared: true, schemas: true },
  create: database.create,
})
