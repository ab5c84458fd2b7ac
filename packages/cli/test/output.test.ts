import { expect, it } from 'vitest'
import { escapeJson, escapeText, safe } from '../src/output/escape.js'
import { toJson } from '../src/output/json.js'
import { errorLine } from '../src/output/output.js'
import { renderTable, type Column } from '../src/output/table.js'
import { relative, span } from '../src/output/time.js'

const nasty = 'a\u001b[2J\u009b31m\u0007\r\n\t\u007f\u202e\u2028\ud800 é漢😀'

it('makes visible what a terminal would obey, and leaves text alone', () => {
  expect(escapeText(nasty)).toBe('a\\x1b[2J\\x9b31m\\x07\\r\\n\\t\\x7f\\u202e\\u2028\\ud800 é漢😀')
  expect(safe`<${'\u001b'}|${1}|${undefined}>`.text).toBe('<\\x1b|1|undefined>')
})

it('escapes JSON so that it parses to the same value', () => {
  const json = escapeJson(JSON.stringify({ [nasty]: nasty }, null, 2))
  // eslint-disable-next-line no-control-regex -- line breaks between the parts are all that is left
  expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
  expect(JSON.parse(json)).toEqual({ [nasty]: nasty })
})

it('writes as JSON whatever pgqrs can store', () => {
  const value = {
    ...{
      date: new Date(0),
      none: new Date(Number.NaN),
      big: -1n,
      infinite: Number.NEGATIVE_INFINITY,
      zero: -0,
    },
    ...{ list: [undefined, null], set: new Set([new Map([[{ k: 1 }, 2n]])]), bytes: Buffer.from('hi') },
    bare: Object.assign(Object.create(null) as object, { toJSON: 'text' }),
  }
  expect(JSON.parse(toJson(value))).toEqual({
    date: '1970-01-01T00:00:00.000Z',
    none: null,
    big: '-1',
    infinite: '-Infinity',
    zero: 0,
    list: [null, null],
    set: [[[{ k: 1 }, '2']]],
    bytes: 'aGk=',
    bare: { toJSON: 'text' },
  })
  expect(toJson(undefined)).toBe('null')
  expect(toJson(JSON.parse('{"__proto__":{"x":1}}'), 0)).toBe('{"__proto__":{"x":1}}')
})

it('writes an error with its fields and cause', () => {
  const error = Object.assign(new RangeError('too far', { cause: new Error('wind') }), {
    code: 'E_FAR',
    metres: 7n,
  })
  expect(JSON.parse(toJson(error))).toEqual({
    name: 'RangeError',
    message: 'too far',
    code: 'E_FAR',
    metres: '7',
    stack: expect.stringContaining('RangeError: too far'),
    cause: { name: 'Error', message: 'wind', stack: expect.any(String) },
  })
  expect(errorLine(error)).toBe('RangeError [E_FAR]: too far')
  expect(errorLine('thrown text')).toBe('"thrown text"')
})

it.each([
  [0, '0ms'],
  [999, '999ms'],
  [1000, '1s'],
  [59_999, '59s'],
  [3_600_000, '1h'],
  [90_000_000, '1d'],
])('a span of %d ms is %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

it('says how long ago or in what time', () => {
  expect(relative(new Date(0), 180_000)).toBe('3m ago')
  expect(relative(new Date(7_200_000), 0)).toBe('in 2h')
  expect(relative(new Date(0), 500)).toBe('now')
  expect(relative(undefined)).toBe('')
})

const columns: Column<readonly [string, string, string]>[] = [
  { title: 'id', of: ([id]) => id, isWhole: true },
  { title: 'name', of: ([, name]) => name },
  { title: 'text', of: ([, , text]) => text },
]

function table(width: number | undefined, ...rows: [string, string, string][]): string[] {
  return renderTable(columns, rows, { width, title: (text) => text }).split('\n')
}

it('cuts the widest column first, and never an id', () => {
  expect(table(40, ['0123456789abcdef', 'short', 'x'.repeat(50)])).toEqual([
    'ID                NAME   TEXT',
    '0123456789abcdef  short  xxxxxxxxxxxxxx…',
  ])
  expect(table(10, ['0123456789abcdef', 'y'.repeat(20), 'x'.repeat(50)])[1]).toBe(
    '0123456789abcdef  yyyyyyy…  xxxxxxx…',
  )
  expect(table(undefined, ['1', 'n', 'x'.repeat(500)])[1]).toBe(`1   n     ${'x'.repeat(500)}`)
})

it('counts characters that take two columns', () => {
  expect(table(undefined, ['漢字', 'a', 'b'], ['1234', 'a', 'b'])).toEqual([
    'ID    NAME  TEXT',
    '漢字  a     b',
    '1234  a     b',
  ])
})

it('keeps one line for one row, whatever a cell holds', () => {
  expect(table(undefined, ['1', 'a\nb', '\u001b[31m'])).toEqual(['ID  NAME  TEXT', '1   a\\nb  \\x1b[31m'])
})
