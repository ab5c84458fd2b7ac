import type { TransactionSql } from 'postgres'
import { InvalidArgumentError } from '@pgqrs/core/driver'
import type { Connection } from './connection.js'
import { TransactionOver } from './failure.js'
import { Gate, type AnyQuery } from './gate.js'

const CONTROL =
  /^\s*(?:begin|start\s+transaction|commit|end|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|prepare\s+transaction)\b/i

/** What a user's callback is given, and the means to end it. */
export interface Scope {
  readonly tx: TransactionSql
  /**
   * Lets nothing more through and waits for what was sent.
   * @throws TransactionOver when a statement failed and the callback kept the error to itself, or ended the transaction.
   */
  finish(): Promise<void>
  /** The same, without an opinion on how it went. */
  abandon(): Promise<void>
}

/** A tag for one transaction, or one savepoint in it, on this connection. Useless once it is over. */
export function openScope(connection: Connection, depth = 0): Scope {
  const gate = new Gate()
  const forget = connection.onDeath((error) => gate.shut(over('its connection broke', error), error))
  const abandon = async (): Promise<void> => {
    gate.shut(over('it has ended'))
    await gate.calm()
    forget()
  }
  return {
    tx: transactionTag(connection, gate, depth),
    abandon,
    async finish() {
      await abandon()
      if (connection.status === 'T') return
      throw connection.status === 'E'
        ? new TransactionOver('A statement of the transaction failed, so it was rolled back.', gate.failure)
        : new TransactionOver(
            'The callback ended the transaction itself. Use tx.savepoint, or throw to roll back.',
          )
    },
  }
}

function over(why: string, cause?: Error): TransactionOver {
  return new TransactionOver(`The statement was not sent: its transaction is over, ${why}.`, cause)
}

function transactionTag(connection: Connection, gate: Gate, depth: number): TransactionSql {
  const { sql } = connection
  let savepoints = 0
  const tag = (first: TemplateStringsArray | string | object, ...rest: unknown[]): unknown => {
    if (isTemplate(first)) refuseControl(first[0] ?? '')
    return gate.guard(Reflect.apply(sql, undefined, [first, ...rest]) as unknown)
  }
  const send = (text: string): AnyQuery => gate.guard(sql.unsafe<Record<string, unknown>[]>(text))

  async function savepoint(...args: [unknown, unknown?]): Promise<unknown> {
    const [name, work] = args.length === 1 ? ['', args[0]] : args
    if (typeof work !== 'function') throw new InvalidArgumentError('tx.savepoint needs a function.')
    const point = `"s${depth}_${savepoints++}_${String(name).replaceAll('"', '""')}"`
    await send(`savepoint ${point}`)
    const scope = openScope(connection, depth + 1)
    try {
      const value: unknown = await Reflect.apply(work, undefined, [scope.tx])
      await scope.finish()
      return value
    } catch (error) {
      await scope.abandon()
      // When even that fails, the transaction as a whole will.
      await send(`rollback to savepoint ${point}`).catch(() => {})
      throw error
    }
  }

  const members = {
    types: sql.types,
    typed: sql.typed,
    array: sql.array.bind(sql),
    json: sql.json.bind(sql),
    unsafe: (...args: Parameters<typeof sql.unsafe>) => {
      refuseControl(args[0])
      return gate.guard(sql.unsafe(...args))
    },
    notify: (channel: string, payload: string) => tag`select pg_notify(${channel}, ${payload})`,
    savepoint,
    // Both would get past the gate.
    file: () => refuse('tx.file', 'Read the file and use tx.unsafe.'),
    prepare: () => refuse('tx.prepare', 'The engine commits.'),
  }
  return Object.assign(tag, members) as unknown as TransactionSql
}

function refuse(what: string, instead: string): never {
  throw new InvalidArgumentError(`${what} does not work in a transaction of pgqrs. ${instead}`)
}

function refuseControl(text: string): void {
  if (!CONTROL.test(text)) return
  throw new InvalidArgumentError(
    'This transaction is committed or rolled back by pgqrs: return to commit, throw to roll back, or use tx.savepoint.',
  )
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && 'raw' in value
}
