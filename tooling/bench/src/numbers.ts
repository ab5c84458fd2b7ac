/** A number with about three digits that count: `12,300`, `4.56`, `0.078`. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 15 })
}

/** The same for what may be unknown. */
export function readableOrNone(value: number | undefined): string {
  return value === undefined ? '' : readable(value)
}
