interface SqliteTransaction {
  prepare(sql: string): { run(...values: unknown[]): unknown }
}

interface LibsqlTransaction {
  execute(statement: { sql: string; args: unknown[] }): Promise<unknown>
}

interface PostgresTransaction {
  unsafe(sql: string, values: unknown[]): Promise<unknown>
}

/** Writes a row into the user's table `effects(name text)` through the transaction of any driver. */
export async function writeEffect(tx: unknown, name: string): Promise<void> {
  if (isSqlite(tx)) tx.prepare('insert into effects (name) values (?)').run(name)
  else if (isLibsql(tx)) await tx.execute({ sql: 'insert into effects (name) values (?)', args: [name] })
  else if (isPostgres(tx)) await tx.unsafe('insert into effects (name) values ($1)', [name])
  else throw new Error('a transaction of an unknown driver')
}

function isSqlite(tx: unknown): tx is SqliteTransaction {
  return typeof tx === 'object' && tx !== null && 'prepare' in tx
}

function isLibsql(tx: unknown): tx is LibsqlTransaction {
  return typeof tx === 'object' && tx !== null && 'execute' in tx
}

function isPostgres(tx: unknown): tx is PostgresTransaction {
  return typeof tx === 'function' && 'unsafe' in tx
}
