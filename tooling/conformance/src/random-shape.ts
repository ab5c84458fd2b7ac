import type { Run } from '@pgqrs/core'
import type { TestDatabase } from './target.js'

/** Numbers that look random and are the same for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** A piece of a workflow. Names are unique within a piece that runs side by side with others. */
export type Shape =
  | {
      readonly kind: 'step' | 'failing' | 'transaction' | 'sleep' | 'think'
      readonly name: string
      readonly ms: number
    }
  | { readonly kind: 'sequence' | 'parallel'; readonly parts: readonly Shape[] }
  | {
      readonly kind: 'map'
      readonly name: string
      readonly items: readonly Shape[]
      readonly concurrency: number
    }

/** Makes a workflow of sequences, branches and maps. */
export function randomShape(random: (below: number) => number, depth = 3, names = { next: 0 }): Shape {
  const kind = depth === 0 ? 0 : random(10)
  const several = (most: number): Shape[] =>
    Array.from({ length: 1 + random(most) }, () => randomShape(random, depth - 1, names))
  if (kind >= 7) return { kind: 'sequence', parts: several(4) }
  if (kind >= 5) return { kind: 'parallel', parts: several(3) }
  if (kind >= 3)
    return { kind: 'map', name: `m${names.next++}`, items: several(4), concurrency: 1 + random(3) }
  const leaves = ['step', 'step', 'step', 'step', 'failing', 'transaction', 'sleep', 'think'] as const
  return { kind: leaves[random(leaves.length)]!, name: `s${names.next++}`, ms: random(4) }
}

/** The shape as the body of a workflow. `ran` is told the key of each body of a step that runs. */
export async function perform(
  shape: Shape,
  run: Run,
  db: TestDatabase,
  ran: (key: string) => void,
): Promise<unknown> {
  const again = (part: Shape, within = run): Promise<unknown> => perform(part, within, db, ran)
  switch (shape.kind) {
    case 'step':
      return run.step(shape.name, async ({ idempotencyKey }) => {
        ran(idempotencyKey)
        await pass(shape.ms)
        return shape.name
      })
    case 'failing':
      return run
        .step(shape.name, { retry: { maxAttempts: 1 } }, async ({ idempotencyKey }) => {
          ran(idempotencyKey)
          await pass(shape.ms)
          throw new Error(shape.name)
        })
        .catch((error: unknown) => (error as Error).message)
    case 'transaction':
      return run.transaction(shape.name, (tx) => {
        const written = db.writeEffect(tx, `${run.id} ${shape.name}`)
        return written instanceof Promise ? written.then(() => shape.name) : shape.name
      })
    case 'sleep':
      await run.sleep(shape.name, shape.ms * 700)
      return shape.name
    case 'think':
      await pass(shape.ms)
      return shape.name
    case 'sequence': {
      const results: unknown[] = []
      for (const part of shape.parts) results.push(await again(part))
      return results
    }
    case 'parallel':
      return Promise.all(shape.parts.map((part) => again(part)))
    case 'map':
      return run.map(shape.name, shape.items, (item, within) => again(item, within), {
        concurrency: shape.concurrency,
      })
  }
}

/** What {@link perform} must return. */
export function expected(shape: Shape): unknown {
  switch (shape.kind) {
    case 'sequence':
    case 'parallel':
      return shape.parts.map(expected)
    case 'map':
      return shape.items.map(expected)
    default:
      return shape.name
  }
}

/** Names of the transactions in the shape. */
export function transactionsIn(shape: Shape): string[] {
  if (shape.kind === 'sequence' || shape.kind === 'parallel') return shape.parts.flatMap(transactionsIn)
  if (shape.kind === 'map') return shape.items.flatMap(transactionsIn)
  return shape.kind === 'transaction' ? [shape.name] : []
}

// Real time: what happens in between must be able to overtake.
async function pass(ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) await new Promise((resolve) => setImmediate(resolve))
}
