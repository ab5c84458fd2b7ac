import type { Statement } from '@pgqrs/core/driver'

/** A way to break the engine on purpose, between it and its database: the checks must see it. */
export interface Sabotage {
  /** What is executed in place of a statement. */
  statement?(statement: Statement, name: string): Statement
  /** Processes use their own clocks, which differ. */
  readonly clientClock?: boolean
  /** What a starting process does to the database, as SQL. */
  readonly atBoot?: string
}

const replaced = (statement: Statement, text: string | RegExp, by: string): Statement => ({
  ...statement,
  sql: statement.sql.replace(text, by),
})

/** Every sabotage by name. */
export const sabotages = {
  /** A holder's writes count whatever grant they carry. */
  'no-fence': {
    statement: (statement, name) =>
      ['finish', 'release', 'extend', 'record', 'delete'].includes(name)
        ? replaced(statement, /(pgqrs_messages|m)\.lease_id = r\.lease_id/, 'r.lease_id is not null')
        : statement,
  },
  /** What is due in half a second counts as due. */
  'early-timer': {
    statement: (statement, name) =>
      name === 'claim' ? replaced(statement, 'm.vt <=', 'm.vt - 500 <=') : statement,
  },
  /** A checkpoint that is recorded again replaces the first. */
  'overwrite-checkpoint': {
    statement: (statement, name) =>
      name === 'record'
        ? replaced(statement, "where pgqrs_steps.status = 'retrying'", 'where true')
        : statement,
  },
  /** Leases are counted by the clocks of the processes. */
  'client-clock': { clientClock: true },
  /** A process that starts takes what is running for lost. */
  'requeue-at-boot': {
    atBoot: "update pgqrs_messages set vt = 0, status = 'queued' where status = 'running'",
  },
  /** A message is done when it is claimed. */
  'ack-first': {
    statement: (statement, name) =>
      name === 'claim'
        ? replaced(
            statement,
            "status = case when status = 'cancelling' then status else 'running' end",
            "status = 'success', finished_at = vt",
          )
        : statement,
  },
} satisfies Record<string, Sabotage>

export type SabotageName = keyof typeof sabotages
