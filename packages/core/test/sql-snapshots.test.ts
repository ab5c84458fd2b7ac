import { describe, expect, it } from 'vitest'
import { currentLayout, tableNames } from '../src/db/migrations/index.js'
import { PostgresDialect, SqliteDialect, type SqlDialect } from '../src/driver.js'
import { queriesFor } from '../src/queries/index.js'

const dialects: readonly (readonly [folder: string, dialect: SqlDialect])[] = [
  ['postgres', new PostgresDialect('app')],
  ['sqlite', new SqliteDialect()],
]
const groups = Object.keys(queriesFor(new SqliteDialect())) as (keyof ReturnType<typeof queriesFor>)[]

function textsOf(dialect: SqlDialect, group: (typeof groups)[number]): [name: string, sql: string][] {
  const queries: Record<string, { readonly sql: string }> = queriesFor(dialect)[group]
  return Object.entries(queries).map(([name, { sql }]) => [name, sql])
}

function ddlOf(dialect: SqlDialect): [name: string, sql: string][] {
  const { create, drop } = {
    create: dialect.create(currentLayout),
    drop: dialect.drop(tableNames),
  }
  return [...create, ...drop].map((query, i) => [`statement ${i + 1}`, query.compile(dialect.db).sql])
}

/** One line for each clause, so that a change shows where it is. */
function readable(texts: readonly (readonly [name: string, sql: string])[]): string {
  return texts.map(([name, sql]) => `-- ${name}\n${sql.replace(/\n\s+/g, '\n  ').trim()};\n`).join('\n')
}

describe.each(dialects)('the SQL for %s', (folder, dialect) => {
  it.each(groups)('of %s is what it was', async (group) => {
    await expect(readable(textsOf(dialect, group))).toMatchFileSnapshot(
      `__snapshots__/${folder}/${group}.sql`,
    )
  })

  it('that makes and drops the tables is what it was', async () => {
    await expect(readable(ddlOf(dialect))).toMatchFileSnapshot(`__snapshots__/${folder}/tables.sql`)
  })

  it('has parameters of its own kind only, and nothing in a text that looks like one', () => {
    const literal = /'(?:[^']|'')*'/g
    const strange = folder === 'postgres' ? /[?]|\$(?!\d)/ : /\$/
    for (const [name, sql] of groups.flatMap((group) => textsOf(dialect, group))) {
      expect(sql.replace(literal, '').match(strange), name).toBeNull()
      // Adapters of libraries with other placeholders replace them wherever they stand.
      expect(
        (sql.match(literal) ?? []).filter((text) => /[?]|\$\d/.test(text)),
        name,
      ).toEqual([])
    }
  })
})

describe('with a schema', () => {
  const texts = (schema: string | undefined): [name: string, sql: string][] => {
    const dialect = new PostgresDialect(schema)
    return [...groups.flatMap((group) => textsOf(dialect, group)), ...ddlOf(dialect)]
  }
  const table = '"?pgqrs_(?:messages|steps|queues|workers|tallies|migrations)"?'
  const reference = new RegExp(
    String.raw`\b(?:from|join|update|into|on|exists|table|using)\s+(?:only\s+)?${table}(?!\w|\.)`,
    'gi',
  )

  it('every reference to a table is qualified', () => {
    const unqualified = texts('app').flatMap(([name, sql]) =>
      (sql.match(reference) ?? []).map((found) => `${name}: ${found}`),
    )
    expect(unqualified).toEqual([])
    expect(texts('app').filter(([, sql]) => sql.includes('"app"."pgqrs_')).length).toBeGreaterThan(30)
  })

  it('and without one none is: the check above finds them then', () => {
    const found = texts(undefined).filter(([, sql]) => reference.test(sql))
    expect(found.length).toBeGreaterThan(30)
    expect(texts(undefined).every(([, sql]) => !sql.includes('"app"'))).toBe(true)
  })
})
