/** An object inside an object inside an object: so many levels of them. */
export function nested(levels: number): unknown {
  let value: unknown = {}
  for (let i = 1; i < levels; i++) value = { a: value }
  return value
}

const bare = (entries: object): object => Object.assign(Object.create(null) as object, entries)
const parsed = (json: string): unknown => JSON.parse(json)

/** Values that come back exactly. */
export const carried: readonly (readonly [name: string, value: unknown])[] = [
  ['null', null],
  ['undefined', undefined],
  ['undefined inside', { a: undefined, b: [undefined] }],
  ['true', true],
  ['an empty string', ''],
  ['NUL', { a: 'x\0y', 'key\0': 1 }],
  ['every control character', Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')],
  ['a lone high surrogate', { a: '\ud800' }],
  ['a lone low surrogate', ['\udfff', 'x\udc00y']],
  ['surrogates the wrong way round', '\udc00\ud800'],
  ['a lone surrogate in a key', { '\udfff': 1, '\ud800': 2 }],
  ['text of many scripts', 'Ἀλώπηξ 日本語 עברית 👩‍👩‍👧 \u2028\u2029 \ufeff \uffff'],
  ['composed and decomposed', ['\u00e9', 'e\u0301']],
  ['quotes and backslashes', `'"\\ \\u0000 $1 ? :name {{x}} '; drop table pgqrs_messages; --`],
  ['a text like a Postgres array', '{NULL,"a",{b}}'],
  ['numbers', [0, 1, -1, 0.1, 1e21, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 66]],
  ['NaN', { a: Number.NaN }],
  ['infinities', [Infinity, -Infinity, Number.MAX_VALUE * 2]],
  ['minus zero', { a: -0, b: [-0, 0] }],
  ['2^53 + 1 as a number, which has rounded it', 2 ** 53 + 1],
  ['2^53 + 1 as a bigint', 9007199254740993n],
  ['a large negative bigint', { a: -(2n ** 200n), zero: 0n }],
  ['a Date', { a: new Date(0), b: new Date('2030-06-01T12:34:56.789Z') }],
  ['Dates at the ends', [new Date(8.64e15), new Date(-8.64e15), new Date('-000001-01-01T00:00:00Z')]],
  [
    'a Map',
    new Map<unknown, unknown>([
      [1, 2],
      ['1', new Map([[{ k: 1 }, undefined]])],
      [Number.NaN, new Date(1)],
    ]),
  ],
  ['a Set', new Set<unknown>([1, '1', undefined, null, new Set([1n])])],
  ['an empty Map and Set', [new Map(), new Set()]],
  ['a Buffer', { a: Buffer.from('hi\0\xff', 'latin1'), b: Buffer.alloc(0) }],
  ['a Uint8Array', { a: new Uint8Array([0, 1, 254, 255]), b: new Uint8Array() }],
  ['a part of a larger buffer', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
  [
    'an object without prototype',
    { a: bare({ x: 1 }), b: bare({}), c: bare({ $date: 'x' }), d: bare({ $object: 1 }) },
  ],
  ['the key __proto__', parsed('{"__proto__":{"polluted":1},"a":{"__proto__":null}}')],
  [
    'the key __proto__ beside a Date',
    Object.assign(parsed('{"__proto__":{"polluted":1}}') as object, { at: new Date(5) }),
  ],
  [
    'constructor, prototype, toString',
    { constructor: { prototype: { polluted: 1 } }, prototype: 1, toString: 2, valueOf: 3 },
  ],
  ['hasOwnProperty and then', { hasOwnProperty: 1, then: 2 }],
  ['toJSON that is no function', { toJSON: 1 }],
  [
    "the codec's own tags",
    [{ $date: 'x' }, { $undefined: true }, { $bigint: 'no' }, { $map: 1 }, { $bytes: '' }],
  ],
  ['tags inside tags', { $object: { $object: { $date: 0 } } }],
  ['tags beside others', { $date: 'x', $map: 1, a: { $set: [1], b: 2 } }],
  ['an unknown tag', { $nobody_knows: 1 }],
  ['texts that begin like tags', ['$date', '"$date"', '{"$date":1}']],
  ['an empty key', { '': { '': 1 } }],
  ['keys that look the same', { '\u00e9': 1, 'e\u0301': 2, a: 3, 'a ': 4, A: 5 }],
  ['order of keys', { z: 1, a: 2, M: 3, 10: 4, 9: 5, _: 6 }],
  ['empty object and array', [{}, [], [[]]]],
  ['the same object twice', ((shared) => [shared, shared, { shared }])({ n: 1 })],
]

class Money {
  constructor(readonly cents: number) {}
}
class OwnDate extends Date {}
class OwnArray extends Array<number> {}
class OwnMap extends Map<string, number> {}

const cycle: { self?: unknown } = {}
cycle.self = cycle
const cycleInMap = new Map<string, unknown>()
cycleInMap.set('me', [cycleInMap])
const hole: unknown[] = [1]
hole[2] = 3

/** Values that cannot come back as they were, and the path the error names. */
export const refused: readonly { readonly name: string; readonly value: unknown; readonly path: string }[] = [
  { name: 'a function', value: { a: () => 1 }, path: '$.a' },
  { name: 'a function at the top', value: () => 1, path: '$' },
  { name: 'a class', value: [Money], path: '$[0]' },
  { name: 'a symbol', value: { a: { b: Symbol('x') } }, path: '$.a.b' },
  { name: 'a key that is a symbol', value: { a: { [Symbol('x')]: 1 } }, path: '$.a' },
  { name: 'a cycle', value: { a: [cycle] }, path: '$.a[0].self' },
  { name: 'a cycle through a Map', value: cycleInMap, path: '$.value(0)[0]' },
  { name: 'a sparse array', value: { a: hole }, path: '$.a[1]' },
  { name: 'an array with a name on it', value: { found: 'abc'.match(/b/) }, path: '$.found' },
  { name: 'an instance of a class', value: { price: new Money(1) }, path: '$.price' },
  { name: 'a subclass of Date', value: [new OwnDate(0)], path: '$[0]' },
  { name: 'a subclass of Array', value: { a: OwnArray.from([1]) }, path: '$.a' },
  { name: 'a subclass of Map', value: new OwnMap(), path: '$' },
  {
    name: 'a Date with a property',
    value: { at: Object.assign(new Date(0), { zone: 'UTC' }) },
    path: '$.at',
  },
  {
    name: 'an object that claims to be a Date',
    value: { at: Object.create(Date.prototype) as unknown },
    path: '$.at',
  },
  { name: 'an Error', value: { e: new Error('m') }, path: '$.e' },
  { name: 'an object with toJSON', value: { a: { toJSON: () => 'x' } }, path: '$.a.toJSON' },
  {
    name: 'a getter that throws',
    value: {
      a: {
        get b(): never {
          throw new Error('no')
        },
      },
    },
    path: '$.a',
  },
  { name: 'a RegExp', value: { a: /x/ }, path: '$.a' },
  { name: 'a URL', value: { a: new URL('http://localhost') }, path: '$.a' },
  { name: 'a promise', value: { a: Promise.resolve(1) }, path: '$.a' },
  { name: 'a typed array of another kind', value: { a: new Float64Array(1) }, path: '$.a' },
  { name: 'an ArrayBuffer', value: { a: new ArrayBuffer(1) }, path: '$.a' },
  { name: 'a WeakMap', value: { a: new WeakMap() }, path: '$.a' },
  { name: 'a boxed string', value: { a: Object('x') as unknown }, path: '$.a' },
  { name: 'a value in a Map', value: new Map([['k', () => 1]]), path: '$.value(0)' },
  { name: 'a key in a Map', value: { m: new Map([[Symbol('k'), 1]]) }, path: '$.m.key(0)' },
  { name: 'an item in a Set', value: new Set([1, () => 1]), path: '$.item(1)' },
]
