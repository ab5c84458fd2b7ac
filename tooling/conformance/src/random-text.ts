/** Numbers that are the same for the same seed (mulberry32), from 0 up to but not including 1. */
function seededNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

// Half of them are what an attacker, a terminal or a parser would like; the rest makes harmless names.
const pieces = [
  ...[
    'a',
    'Z',
    '0',
    '_',
    '-',
    '.',
    ':',
    '/',
    'queue',
    'Public',
    'pg_catalog',
    'select',
    '__proto__',
    'constructor',
  ],
  ...[
    'x'.repeat(60),
    'null',
    'undefined',
    '1e3',
    'é',
    '日本',
    '😀',
    '\ud800',
    '\0',
    '\n',
    '\r',
    '\t',
    '\x1b[2J',
    '\x7f',
    ' ',
  ],
  ...[
    '"',
    "'",
    '`',
    ';',
    '--',
    '/*',
    '*/',
    '\\',
    '%',
    '%s',
    '%I',
    '$1',
    '?',
    ':name',
    '${x}',
    '{',
    '}',
    '[',
    ']',
    ',',
  ],
  ...[
    '"; drop table pgqrs_messages; --',
    "'; drop table pgqrs_messages; --",
    '../',
    '&',
    '<b>',
    '\u202e',
    '\ufeff',
  ],
]

/** Texts of one to six pieces, one third of them of harmless pieces only. */
export function randomTexts(count: number, seed: number): string[] {
  const next = seededNumbers(seed)
  return Array.from({ length: count }, (_, i) => {
    const from = i % 3 === 0 ? 14 : pieces.length
    const length = 1 + Math.floor(next() * 6)
    return Array.from({ length }, () => pieces[Math.floor(next() * from)]).join('')
  })
}
