const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/** A span for people, in its largest unit: `250ms`, `3m`, `2d`. */
export function span(ms: number): string {
  for (const [unit, size] of units) if (ms >= size) return `${Math.floor(ms / size)}${unit}`
  return `${Math.round(ms)}ms`
}

/** A time for people as seen from `now`: `3m ago`, `in 2h`, `now`. */
export function relative(date: Date | undefined, now = Date.now()): string {
  if (date === undefined) return ''
  const ms = now - date.getTime()
  if (Math.abs(ms) < 1000) return 'now'
  return ms > 0 ? `${span(ms)} ago` : `in ${span(-ms)}`
}
