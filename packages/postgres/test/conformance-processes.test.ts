import { exercise } from '@pgqrs/conformance'
import { amongProcesses, capabilities, emptiedDatabase } from './emptied-database.js'

// The other half is in conformance.test.ts.
const create = emptiedDatabase()

exercise({ name: 'postgres', package: '@pgqrs/postgres', capabilities, create }, (topic) =>
  amongProcesses.has(topic),
)
