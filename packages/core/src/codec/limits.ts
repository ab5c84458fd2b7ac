/** What a value may be at most. Every limit is checked before any I/O. */
export interface ValueLimits {
  /** Bytes of UTF-8 of the encoded value. */
  readonly maxBytes: number
  /** Levels of nesting. */
  readonly maxDepth: number
  /** Characters of any one string, or no limit. */
  readonly maxStringLength: number | undefined
  /** Keys that may appear nowhere in the value. */
  readonly forbiddenKeys: ReadonlySet<string>
  /** Keys the top-level object must have. */
  readonly requiredKeys: readonly string[]
}

/** Defaults that do not surprise: 1 MiB, 100 levels, nothing else. */
export const defaultLimits: ValueLimits = {
  maxBytes: 1024 * 1024,
  maxDepth: 100,
  maxStringLength: undefined,
  forbiddenKeys: new Set(),
  requiredKeys: [],
}
