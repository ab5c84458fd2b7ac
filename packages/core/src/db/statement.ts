/** A statement ready to be executed. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** It only reads, so it may run beside the writer. */
  readonly reads: boolean
  /** It may walk over a whole table, so that a late answer is no sign of a lost connection. */
  readonly slow?: boolean
}

/** A row as the client returns it. */
export type Row = Record<string, unknown>
