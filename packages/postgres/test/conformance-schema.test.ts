import { exercise } from '@pgqrs/conformance'
import { capabilities, emptiedDatabase, everyStatement } from './emptied-database.js'

// The search path does not lead to the tables of pgqrs, and none of them may turn up where it does lead. Only the
// topics that meet every statement: what the others are about happens without the database or is the same in any schema.
const create = emptiedDatabase({ schema: 'app' })

exercise({ name: 'postgres with a schema', package: '@pgqrs/postgres', capabilities, create }, (topic) =>
  everyStatement.has(topic),
)
