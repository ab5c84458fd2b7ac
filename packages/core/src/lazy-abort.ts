/**
 * A switch like AbortController whose signal is made for the first who asks. Making signals and following one with
 * another costs more than the rest of a small step, and most bodies never look at theirs.
 */
export class LazyAbort {
  private controller: AbortController | undefined
  private thrown: { readonly reason: unknown } | undefined
  private listeners: Set<(reason: unknown) => void> | undefined

  /** Whether {@link abort} was called. */
  get aborted(): boolean {
    return this.thrown !== undefined
  }

  /** What {@link abort} was called with. */
  get reason(): unknown {
    return this.thrown?.reason
  }

  /** The signal. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.thrown !== undefined) this.controller.abort(this.thrown.reason)
    }
    return this.controller.signal
  }

  /** Aborts, once; the first reason stays. */
  abort(reason: unknown): void {
    if (this.thrown !== undefined) return
    this.thrown = { reason }
    this.controller?.abort(reason)
    const listeners = [...(this.listeners ?? [])]
    this.listeners = undefined
    for (const listener of listeners) listener(reason)
  }

  /** Calls back when it aborts; at once when it has. Returns how to take that back. */
  onAbort(listener: (reason: unknown) => void): () => void {
    if (this.thrown !== undefined) listener(this.thrown.reason)
    else (this.listeners ??= new Set()).add(listener)
    return () => this.listeners?.delete(listener)
  }
}
