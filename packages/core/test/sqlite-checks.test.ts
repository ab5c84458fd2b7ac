import { expect, it } from 'vitest'
import { checksOf, checkText } from '../src/db/sqlite-checks.js'

it.each([
  ['create table t (a text, b text)', {}],
  [`CREATE TABLE "t" ("a" text not null CHECK ("a" in ('x', 'y')), b int)`, { 't.a': "a in ('x', 'y')" }],
  ['create table t (a int check(a>0) check (a < 9))', { 't.a': 'a < 9 and a>0' }],
  [
    "create table t (a text default 'check (x)', b text check (b <> 'it''s, (here)'))",
    { 't.b': "b <> 'it''s, (here)'" },
  ],
  ['create table t (a int, check (a > 0), constraint c check (a < 9))', { t: 'a < 9 and a > 0' }],
  [
    'create table t (a numeric(10, 2) /* check (no) */ check ((a + 1) > (2)), -- b\n [b c] int check (1))',
    {
      't.a': '(a + 1) > (2)',
      't.b c': '1',
    },
  ],
  ['create table t (a int, primary key (a)) strict', {}],
])('finds the checks of %s', (sql, expected) => {
  const found = checksOf('t', sql).map(({ kind, name, detail }) => {
    expect(kind).toBe('check')
    return [name, detail]
  })
  expect(Object.fromEntries(found)).toEqual(expected)
})

it('spells a check in one way', () => {
  expect(checkText(`"Kind"  IN (\n'Queue','workflow' )`)).toBe("kind in ('Queue', 'workflow')")
})
