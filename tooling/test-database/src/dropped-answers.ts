import { watchPostgres } from './postgres-wire.js'

/** How many bytes of text from a client a pattern may span where the protocol is not known. */
const WINDOW = 64 * 1024

/** The answers that a proxy is to drop. */
export interface DroppedAnswers {
  /** Resolves when the answer has been dropped `times` times. */
  add(pattern: RegExp | string, times: number): Promise<void>
  clear(): void
  /** Watches a new connection. */
  watch(): AnswerWatch
}

/** Sees the bytes of one connection as they are forwarded. */
export interface AnswerWatch {
  fromClient(bytes: Buffer): void
  /** What to do with these bytes: pass them on, drop them, or drop them and cut the client off. */
  fromServer(bytes: Buffer): 'pass' | 'drop' | 'cut'
}

interface Order {
  fits: (text: string) => boolean
  left: number
  done: () => void
}

/** @param protocol - `postgres` matches whole statements as they are executed; `bytes` whatever the client sends. */
export function createDroppedAnswers(protocol: 'postgres' | 'bytes'): DroppedAnswers {
  const orders = new Set<Order>()

  function orderFor(text: string): Order | undefined {
    for (const order of orders) if (order.fits(text)) return order
    return undefined
  }

  function settle(order: Order): void {
    order.left -= 1
    if (order.left > 0) return
    orders.delete(order)
    order.done()
  }

  return {
    add: (pattern, times) =>
      new Promise((resolve) => {
        const fits = (text: string): boolean =>
          typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0
        orders.add({ fits, left: times, done: resolve })
      }),
    clear: () => orders.clear(),
    watch: () => (protocol === 'postgres' ? watchStatements(orderFor, settle) : watchBytes(orderFor, settle)),
  }
}

function watchStatements(
  orderFor: (text: string) => Order | undefined,
  settle: (order: Order) => void,
): AnswerWatch {
  const wire = watchPostgres()
  let doomed: { order: Order; readyNumber: number } | undefined
  return {
    fromClient(bytes) {
      for (const { sql, readyNumber } of wire.fromClient(bytes)) {
        const order = doomed ? undefined : orderFor(sql)
        if (order) doomed = { order, readyNumber }
      }
    },
    fromServer(bytes) {
      const ready = wire.fromServer(bytes)
      if (!doomed) return 'pass'
      if (ready < doomed.readyNumber) return 'drop'
      settle(doomed.order)
      return 'cut'
    },
  }
}

function watchBytes(
  orderFor: (text: string) => Order | undefined,
  settle: (order: Order) => void,
): AnswerWatch {
  let window = ''
  let doomed: Order | undefined
  return {
    fromClient(bytes) {
      window = (window + bytes.toString('latin1')).slice(-WINDOW)
      doomed ??= orderFor(window)
      if (doomed) window = ''
    },
    fromServer() {
      if (!doomed) return 'pass'
      settle(doomed)
      return 'cut'
    },
  }
}
