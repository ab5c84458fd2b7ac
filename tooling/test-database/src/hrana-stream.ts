import { runBatch } from './hrana-batch.js'
import { openConnection } from './hrana-connection.js'
import {
  HranaError,
  type SqlReference,
  type Statement,
  type StatementResult,
  type StreamRequest,
} from './hrana-protocol.js'

/** A stream: one connection to the database, with its transaction, answering one request after the other. */
export interface HranaStream {
  /**
   * Answers a request, after those before it.
   * @throws {HranaError} or an error of the engine.
   */
  answer(request: StreamRequest): Promise<object>
  /** Whether it has not been closed. */
  isOpen(): boolean
  /** Rolls an open transaction back and closes the connection, at once. */
  close(): void
}

/**
 * Opens a stream on a database file.
 * @param stored - SQL that the client has stored; a WebSocket shares it between its streams.
 */
export function openStream(file: string, stored = new Map<number, string>()): HranaStream {
  const connection = openConnection(file)
  let last: Promise<unknown> = Promise.resolve()

  function textOf(reference: SqlReference): string {
    const text = reference.sql ?? stored.get(reference.sql_id ?? -1)
    if (text === undefined) throw new HranaError('SQL text not found', 'SQL_STORE_NOT_FOUND')
    return text
  }

  async function execute(stmt: Statement): Promise<StatementResult> {
    return connection.execute(textOf(stmt), stmt)
  }

  async function perform(request: StreamRequest): Promise<object> {
    const { type } = request
    switch (request.type) {
      case 'execute':
        return { type, result: await execute(request.stmt) }
      case 'batch':
        return { type, result: await runBatch(request.batch, execute, () => connection.inTransaction()) }
      case 'sequence':
        await connection.script(textOf(request))
        return { type }
      case 'store_sql':
        stored.set(request.sql_id, request.sql)
        return { type }
      case 'close_sql':
        stored.delete(request.sql_id)
        return { type }
      case 'get_autocommit':
        return { type, is_autocommit: !connection.inTransaction() }
      case 'close':
        connection.close()
        return { type }
      default:
        throw new HranaError(`the stand-in does not know ${type as string}`, 'PROTOCOL_ERROR')
    }
  }

  return {
    answer(request) {
      const answer = last.then(() => perform(request))
      last = answer.catch(() => undefined)
      return answer
    },
    isOpen: () => connection.isOpen(),
    close: () => connection.close(),
  }
}
