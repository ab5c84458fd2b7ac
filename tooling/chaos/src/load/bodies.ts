import { TerminalError } from '@pgqrs/core'
import { randomUUID } from 'node:crypto'
import type { BodyEnded, BodyOf, BodyStarted, HistoryWriter } from '@pgqrs/checker'

/** What is noted of a body's beginning besides what it belongs to. */
export type Beginning = Pick<BodyStarted, 'attempt' | 'payload' | 'key' | 'after'>
/** What is noted of its end. */
type Ending = Pick<BodyEnded, 'how' | 'terminal' | 'lists'> & { readonly value?: unknown }

/** The effect log: notes the start and the end of every body, in the file of the process. */
export class Bodies {
  private n = 0

  constructor(private readonly history: HistoryWriter) {}

  /** A value unlike all others, so that it can be told whose was kept. */
  fresh(): string {
    return randomUUID().slice(0, 13)
  }

  /** Notes that a body starts; the function returned is to be told how it ended. */
  start(of: Omit<BodyOf, 'body'>, more: Beginning): (ending: Ending) => void {
    const body = `${this.history.process}/${++this.n}`
    this.history.append({ kind: 'started', body, ...of, ...more })
    return ({ value, ...ending }) => {
      this.history.append({
        kind: 'ended',
        body,
        ...of,
        ...ending,
        ...(value === undefined ? {} : { value: JSON.stringify(value) }),
      })
    }
  }

  /** Notes start and end around `work`, whether it returns at once or later. */
  around<T>(
    of: Omit<BodyOf, 'body'>,
    more: Beginning,
    work: () => T | Promise<T>,
    lists?: BodyEnded['lists'],
  ): T | Promise<T> {
    const end = this.start(of, more)
    const done = lists === undefined ? {} : { lists }
    try {
      const value = work()
      if (!(value instanceof Promise)) {
        end({ how: 'returned', value, ...done })
        return value
      }
      return value.then(
        (result) => {
          end({ how: 'returned', value: result, ...done })
          return result
        },
        (error: unknown) => {
          end({ how: 'threw', terminal: error instanceof TerminalError })
          throw error
        },
      )
    } catch (error) {
      end({ how: 'threw', terminal: error instanceof TerminalError })
      throw error
    }
  }
}
