/**
 * Just enough of the Postgres protocol to see, from outside, which statement a client runs and when the server
 * has answered it. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104

/** A statement that a client has sent for execution. */
export interface SentStatement {
  sql: string
  /** Its answer is complete with this ReadyForQuery of the connection; that of the start-up is number 1. */
  readyNumber: number
}

/** Both directions of one connection, watched. Each method takes the bytes in order, cut anywhere. */
export interface PostgresWatch {
  /** Takes bytes from the client; returns the statements that they complete, prepared ones by their text. */
  fromClient(bytes: Buffer): SentStatement[]
  /** Takes bytes from the server; returns how many ReadyForQuery it has sent since the beginning. */
  fromServer(bytes: Buffer): number
}

/** Watches a new connection, which must not use TLS. */
export function watchPostgres(): PostgresWatch {
  const prepared = new Map<string, string>()
  const portals = new Map<string, string>()
  let unread: Buffer = Buffer.alloc(0)
  let unreadAnswer: Buffer = Buffer.alloc(0)
  let started = false
  let refusals = 0
  let expected = 1
  let ready = 0

  function message(type: string, body: Buffer): SentStatement[] {
    const [first, second] = strings(body)
    if (type === 'P') prepared.set(first, second)
    if (type === 'B') portals.set(first, prepared.get(second) ?? '')
    if (type === 'E') return [{ sql: portals.get(first) ?? '', readyNumber: expected + 1 }]
    if (type === 'S' || type === 'F') expected += 1
    if (type === 'Q') return [{ sql: first, readyNumber: ++expected }]
    return []
  }

  return {
    fromClient(bytes) {
      const sent: SentStatement[] = []
      unread = Buffer.concat([unread, bytes])
      for (;;) {
        const head = started ? 1 : 0
        if (unread.length < head + 4) return sent
        const end = head + unread.readInt32BE(head)
        if (unread.length < end) return sent
        if (started) sent.push(...message(String.fromCharCode(unread[0] ?? 0), unread.subarray(5, end)))
        else if ([SSL_REQUEST, GSS_REQUEST].includes(unread.readInt32BE(4))) refusals += 1
        else started = true
        unread = unread.subarray(end)
      }
    },
    fromServer(bytes) {
      unreadAnswer = Buffer.concat([unreadAnswer, bytes])
      while (refusals > 0 && unreadAnswer.length > 0) {
        unreadAnswer = unreadAnswer.subarray(1)
        refusals -= 1
      }
      while (unreadAnswer.length >= 5) {
        const end = 1 + unreadAnswer.readInt32BE(1)
        if (unreadAnswer.length < end) break
        if (unreadAnswer[0] === 0x5a) ready += 1
        unreadAnswer = unreadAnswer.subarray(end)
      }
      return ready
    },
  }
}

/** The first two zero-terminated strings of a message; empty where there are fewer. */
function strings(body: Buffer): [string, string] {
  const end = body.indexOf(0)
  if (end < 0) return ['', '']
  const next = body.indexOf(0, end + 1)
  return [body.toString('utf8', 0, end), next < 0 ? '' : body.toString('utf8', end + 1, next)]
}
