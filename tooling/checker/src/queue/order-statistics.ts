/** Counts how many of the numbers added so far are greater than one: a Fenwick tree over the ranks of known numbers. */
export class GreaterCounter {
  private readonly sorted: Float64Array
  private readonly tree: Int32Array
  private size = 0

  constructor(numbers: readonly number[]) {
    this.sorted = Float64Array.from(new Set(numbers)).sort()
    this.tree = new Int32Array(this.sorted.length + 1)
  }

  add(number: number): void {
    this.size++
    for (let i = this.notGreater(number); i > 0 && i < this.tree.length; i += i & -i) {
      this.tree[i] = (this.tree[i] ?? 0) + 1
    }
  }

  /** How many of those added are greater than `number`. */
  greater(number: number): number {
    let atMost = 0
    for (let i = this.notGreater(number); i > 0; i -= i & -i) atMost += this.tree[i] ?? 0
    return this.size - atMost
  }

  /** How many of the known numbers are not greater: the rank of `number`, counted from 1. */
  private notGreater(number: number): number {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.sorted[middle] ?? Infinity) <= number) low = middle + 1
      else high = middle
    }
    return low
  }
}
