// These examples run on whichever database they are given, so what they write in SQL goes through this function.
// An application has one database and uses the transaction of its client directly.
import type { DriverTransaction } from '@pgqrs/core'
import type {} from '@pgqrs/postgres'
import type {} from '@pgqrs/sqlite'
import type {} from '@pgqrs/turso'

/** Executes one statement with `$1`-style parameters in the transaction of a step. */
export async function execute(
  tx: DriverTransaction,
  text: string,
  values: readonly (string | number)[],
): Promise<void> {
  if (typeof tx === 'function') await tx.unsafe(text, [...values])
  else if ('prepare' in tx) tx.prepare(text.replaceAll(/\$\d+/g, '?')).run(...values)
  else await tx.execute({ sql: text.replaceAll(/\$\d+/g, '?'), args: [...values] })
}
