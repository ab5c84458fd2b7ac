import { startPgBouncer } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import type { Execute, Statement } from '@pgqrs/core/driver'
import { within } from '../src/adapter.js'
import { parametersOfDsn } from '../src/parameters.js'
import { client, database, driverFor } from './database.js'

type Ways = Record<string, () => Promise<{ execute: Execute; end?: () => Promise<unknown> }>>

const ways: Ways = {
  'the driver': async () => ({ execute: driverFor(await database()).execute }),
  'the driver, several at once': async () => {
    const driver = driverFor(await database())
    const execute: Execute = async (statements) =>
      (await driver.execute([...statements, { sql: 'select 1', parameters: [], reads: true }])).slice(0, -1)
    return { execute }
  },
  'the driver without prepared statements': async () => {
    const dsn = await database()
    return { execute: driverFor(dsn, { parameters: parametersOfDsn(dsn, false) }).execute }
  },
  'a transaction of a client': async () => reserved({}),
  'a transaction of a client without prepared statements and types': async () =>
    reserved({ prepare: false, fetch_types: false }),
}

async function reserved(options: {
  prepare?: boolean
  fetch_types?: boolean
}): Promise<{ execute: Execute }> {
  const sql = client(await database(), options)
  await sql`select 1`
  const handle = await sql.reserve()
  onTestFinished(() => handle.release())
  return { execute: within(handle)! }
}

const nasty = '{"a","b\\"c","d\\\\e","{}, ","NULL",NULL,"ä✓","\n"}'
const cases: [string, unknown, unknown][] = [
  ['array_to_json($1::text[])::text', nasty, '["a","b\\"c","d\\\\e","{}, ","NULL",null,"ä✓","\\n"]'],
  ['array_to_json($1::text[])::text', '{}', '[]'],
  [
    'array_to_json($1::uuid[])::text',
    '{"01890000-0000-7000-8000-000000000001",NULL}',
    '["01890000-0000-7000-8000-000000000001",null]',
  ],
  ['array_to_json($1::float8[])::text', '{1.5,-0,NULL,1e300}', '[1.5,-0,null,1e+300]'],
  ['($1::float8[])::text', '{NaN,Infinity,-Infinity,0.1}', '{NaN,Infinity,-Infinity,0.1}'],
  ['array_to_json($1::int[])::text', '{1,-2,NULL}', '[1,-2,null]'],
  ['array_to_json($1::bigint[])::text', '{9007199254740993,NULL}', '[9007199254740993,null]'],
  ['array_to_json($1::boolean[])::text', '{true,false,NULL}', '[true,false,null]'],
  [
    'array_to_json($1::timestamptz[])::text',
    '{"2026-01-01T00:00:00.123456Z",NULL}',
    expect.stringContaining('.123456'),
  ],
  ['$1::text', null, null],
  ['$1::text', '', ''],
  ['$1::int', 7, 7],
  ['$1::bigint::float8', 9_007_199_254_740_991, 9_007_199_254_740_991],
  ['$1::float8', 0.1, 0.1],
  ['$1::float8', NaN, NaN],
  ['$1::float8', Infinity, Infinity],
  ['$1::float8', null, null],
  ['$1::boolean', true, true],
  ['$1::boolean', false, false],
  ['$1::uuid', '01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001'],
  ['$1::text::jsonb::text', '{"a": [1, "b"]}', '{"a": [1, "b"]}'],
  [
    '(extract(epoch from to_timestamp($1::float8 / 1000)) * 1000)::float8',
    1_700_000_000_123.5,
    1_700_000_000_123.5,
  ],
]

it.each(Object.entries(ways))('parameters arrive unchanged through %s', async (_name, open) => {
  const { execute } = await open()
  // Twice: the second time finds the statement prepared.
  for (const [expression, value, expected] of [...cases, ...cases]) {
    const statement: Statement = { sql: `select ${expression} as v`, parameters: [value], reads: true }
    const [rows] = await execute([statement])
    expect(rows?.[0]?.['v'], `${expression} of ${String(value)}`).toEqual(expected)
  }
})

it('many statements through PgBouncer in transaction mode succeed without prepared statements', async ({
  skip,
}) => {
  const bouncer = await startPgBouncer(await database())
  skip(bouncer === undefined, 'pgbouncer is not installed')
  onTestFinished(() => bouncer!.stop())
  const driver = driverFor(bouncer!.dsn, {
    parameters: parametersOfDsn(bouncer!.dsn, false),
    maxConnections: 30,
  })
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_, i) =>
      i % 4 === 0
        ? driver.transaction({
            before: { sql: 'select $1::int as n', parameters: [i], reads: false },
            check: () => {},
            work: async (tx) => (await tx`select ${i}::int as n from pg_sleep(0.001)`)[0]!['n'] as number,
            after: () => [],
            checkAfter: () => {},
            limitMs: 20_000,
          })
        : driver
            .execute([{ sql: `select $1::int + ${i % 3} - ${i % 3} as n`, parameters: [i], reads: false }])
            .then((r) => r[0]?.[0]?.['n']),
    ),
  )
  expect(answers).toEqual(answers.map((_, i) => i))
})
