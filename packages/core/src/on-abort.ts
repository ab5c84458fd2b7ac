const followed = new WeakMap<
  AbortSignal,
  { readonly callbacks: Set<() => void>; readonly tell: () => void }
>()

/**
 * Calls back when a signal aborts that has not yet. Returns how to take that back. However many calls are made with one
 * signal, it gets one listener: Node warns of a leak at the eleventh.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, tell } = followed.get(signal) ?? follow(signal)
  // A callback of its own, so that one that is given twice is called twice.
  const own = (): void => {
    callback()
  }
  callbacks.add(own)
  return () => {
    if (!callbacks.delete(own) || callbacks.size > 0) return
    signal.removeEventListener('abort', tell)
    followed.delete(signal)
  }
}

function follow(signal: AbortSignal): { callbacks: Set<() => void>; tell: () => void } {
  const callbacks = new Set<() => void>()
  const tell = (): void => {
    followed.delete(signal)
    for (const callback of [...callbacks]) callback()
  }
  signal.addEventListener('abort', tell, { once: true })
  const entry = { callbacks, tell }
  followed.set(signal, entry)
  return entry
}
