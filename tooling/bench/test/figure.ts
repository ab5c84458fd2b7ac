import type { Figure } from '../src/results.js'

/** A figure for tests. */
export function figureOf(metric: string, system: string, median: number, more: Partial<Figure> = {}): Figure {
  return {
    metric,
    system,
    configuration: 'best',
    store: 'postgres',
    spread: { median, min: median, max: median, rounds: 1 },
    cost: undefined,
    remarks: [],
    ...more,
  }
}
