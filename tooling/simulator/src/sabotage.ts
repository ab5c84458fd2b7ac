import type { Statement } from '@pgqrs/core/driver'
import { isLease, isWorker } from './identities.js'

/** A way to break the engine on purpose, between it and its database: the checks must see it. */
export interface Sabotage {
  /**
   * What is executed in place of a statement.
   * @param grantees which worker of this process each grant was given to; its own to keep.
   */
  statement?(statement: Statement, name: string, grantees: Map<string, string>): Statement
  /** What is sent once such a statement was answered, before its sender hears of it; as SQL with one parameter: the time. */
  afterwards?(name: string): string | undefined
  /** Processes use their own clocks, which differ. */
  readonly clientClock?: boolean
  /** What a starting process does to the database, as SQL. */
  readonly atBoot?: string
}

const withoutKey = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/^(side\d+)\[\d+\]$/, '$1') : value

const replaced = (statement: Statement, text: string | RegExp, by: string): Statement => ({
  ...statement,
  sql: statement.sql.replace(text, by),
})

const ofHolders = ['finish', 'release', 'extend', 'record', 'delete']
const FENCE = /(pgqrs_messages|m)\.lease_id = r\.lease_id/

/** Every sabotage by name. */
export const sabotages = {
  /** A holder's writes count whatever grant they carry. */
  'no-fence': {
    statement: (statement, name) =>
      ofHolders.includes(name) ? replaced(statement, FENCE, 'r.lease_id is not null') : statement,
  },
  /** The fence is the worker, not the grant. */
  'worker-id-fence': {
    statement: (statement, name, grantees) => {
      const lease = statement.parameters.find(isLease) ?? ''
      // A message comes before the worker it is handed to.
      if (name === 'claim' || name === 'hand-over')
        grantees.set(lease, statement.parameters.findLast(isWorker) ?? '')
      return ofHolders.includes(name)
        ? replaced(
            statement,
            FENCE,
            `r.lease_id is not null and $1.worker_id = '${grantees.get(lease) ?? ''}'`,
          )
        : statement
    },
  },
  /** A message gets its result in one statement and its end in another. */
  'split-completion': {
    statement: (statement, name) =>
      name === 'finish' ? replaced(statement, 'finished_at = ', 'started_at = ') : statement,
    afterwards: (name) =>
      name === 'finish'
        ? "update pgqrs_messages set finished_at = ? where finished_at is null and status in ('success', 'error', 'cancelled')"
        : undefined,
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
  /** What was committed last is lost when a process dies, as if its machine had lost power before it was written down. */
  'durability-off': {
    atBoot:
      'delete from pgqrs_messages where enqueued_at > (select max(enqueued_at) from pgqrs_messages) - 300',
  },
  /** Steps side by side that only differ in their keys are one step. */
  'ignore-step-key': {
    statement: (statement, name) =>
      name === 'record' ? { ...statement, parameters: statement.parameters.map(withoutKey) } : statement,
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
