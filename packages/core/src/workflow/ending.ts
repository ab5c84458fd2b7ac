import type { Status } from '../status.js'

/** How a pass through the body of a run ended without the body's doing. */
export type Ending =
  | { readonly kind: 'put_down'; readonly status: Status; readonly inMs: number } // given back already
  | { readonly kind: 'let_go' } // the worker stops: give the run back
  | { readonly kind: 'lost' } // somebody else holds it, or will when the lease lapses
  | { readonly kind: 'trouble'; readonly error: unknown } // the database could not be used
  | { readonly kind: 'diverged'; readonly error: unknown } // the code does not fit the history

/** Thrown inside the engine, never into user code: ends the pass. */
export class Interruption extends Error {
  constructor(readonly ending: Ending) {
    super(ending.kind)
  }
}

/** What user code waits for when its pass is over: nothing of it runs any more, not even `finally`. */
export function never(): Promise<never> {
  return new Promise(() => undefined)
}
