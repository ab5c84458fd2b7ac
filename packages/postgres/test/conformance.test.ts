import { exercise } from '@pgqrs/conformance'
import { afterAll, beforeAll } from 'vitest'
import { EmptiedDatabase } from './emptied-database.js'

const database = new EmptiedDatabase()
beforeAll(() => database.begin())
afterAll(() => database.end())

exercise({
  name: 'postgres',
  package: '@pgqrs/postgres',
  capabilities: { wake: 'push', oneWriter: false, clock: 'database', shared: true, schemas: true },
  create: database.create,
})
