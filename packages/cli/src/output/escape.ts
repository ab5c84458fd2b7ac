// What moves a cursor, changes a colour, sets a title, rings, ends a line, or turns the direction of reading.
const dangerous =
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

/** Text from outside with everything visible that a terminal would obey: `\x1b`, `\n`, `\u202e`. */
export function escapeText(text: string): string {
  return text.replace(dangerous, escapeCharacter)
}

/** A text that may be written to a terminal. */
export class SafeText {
  constructor(readonly text: string) {}
}

/** Template tag: what is put in is escaped. */
export function safe(
  template: TemplateStringsArray,
  ...values: readonly (string | number | undefined)[]
): SafeText {
  return new SafeText(String.raw({ raw: template }, ...values.map((value) => escapeText(String(value)))))
}

/** JSON text with the same characters as JSON escapes; it parses to the same value. */
export function escapeJson(json: string): string {
  return json.replace(dangerous, (character) => (character === '\n' ? character : unicodeEscape(character)))
}

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return (
    short[character] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character))
  )
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
