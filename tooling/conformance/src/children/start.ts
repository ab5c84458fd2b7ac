import { fileURLToPath } from 'node:url'
import { spawnChild, type ChildHandle, type ChildOptions } from '@pgqrs/test-database'
import type { Target, TestDatabase } from '../target.js'

/** What every child of the suite is told. */
export interface ChildSetup {
  /** Package whose `connect` it imports. */
  readonly driver: string
  readonly dsn: string
}

/** Starts `children/<name>.ts` on the database of a test, with what else it is to know. */
export function startChild(
  name: string,
  target: Target,
  database: TestDatabase,
  more: object = {},
  options: ChildOptions = {},
): Promise<ChildHandle> {
  const setup: ChildSetup = { driver: target.package, dsn: database.dsn, ...more }
  return spawnChild(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), [JSON.stringify(setup)], options)
}

/** In a child: what {@link startChild} told it. */
export function childSetup<More extends object>(): ChildSetup & More {
  return JSON.parse(process.argv[2] ?? '{}') as ChildSetup & More
}

/** In a child: prints something as a line of JSON that begins with `name`. */
export function tell(name: string, what: unknown = {}): void {
  console.log(`${name} ${JSON.stringify(what)}`)
}

/** What a line of {@link tell} said. */
export function told<T>(line: string): T {
  return JSON.parse(line.slice(line.indexOf(' ') + 1)) as T
}
