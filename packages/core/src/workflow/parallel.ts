/**
 * Calls `work` for each item, at most `concurrency` at once, and returns the results in order. After a failure no
 * further item is begun.
 */
export async function inParallel<Item, T>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => T | Promise<T>,
): Promise<T[]> {
  const results = new Array<T>(items.length)
  let next = 0
  let failed = false
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++
      try {
        results[index] = await work(items[index] as Item, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  return results
}
