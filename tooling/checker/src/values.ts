/** The text of a JSON value with its keys in order. A text that is no JSON stays what it is. */
export function canonical(text: string): string {
  const first = text.charAt(0)
  // Only objects have keys to order, and only arrays may hold some.
  if (first !== '{' && first !== '[') return text
  try {
    return JSON.stringify(JSON.parse(text), ordered)
  } catch {
    return text
  }
}

/** Whether two texts are the same JSON value. */
export function sameValue(a: string | null | undefined, b: string | null | undefined): boolean {
  if (a === b) return true
  if (a === null || a === undefined || b === null || b === undefined) return false
  return canonical(a) === canonical(b)
}

function ordered(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
