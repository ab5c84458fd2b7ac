declare global {
  /** The transaction of each driver that is imported somewhere in the program: drivers add theirs. */
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- open for declaration merging
  interface PgqrsTransactions {}
}

/** What `run.transaction` callbacks get when nothing more exact is said: the transaction of the imported driver. */
export type DriverTransaction = keyof PgqrsTransactions extends never
  ? unknown
  : PgqrsTransactions[keyof PgqrsTransactions]
