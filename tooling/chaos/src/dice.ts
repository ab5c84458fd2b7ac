/** Chance that can be repeated: the same seed gives the same throws. */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** Other dice, whose throws do not depend on how often these are thrown. */
  static of(seed: number, name: string): Dice {
    let hash = seed >>> 0
    for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
    return new Dice(hash)
  }

  /** A number in [0, 1): mulberry32. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of these. @throws RangeError when there is none */
  pick<T>(from: readonly T[]): T {
    const picked = from[this.whole(0, from.length - 1)]
    if (picked === undefined) throw new RangeError('there is nothing to pick from')
    return picked
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const left = [...things]
    const out: T[] = []
    while (left.length > 0) out.push(...left.splice(this.whole(0, left.length - 1), 1))
    return out
  }

  /** A UUIDv7 with this time in it. */
  id(ms: number): string {
    const time = Math.floor(ms).toString(16).padStart(12, '0')
    const hex = (digits: number): string =>
      Array.from({ length: digits }, () => this.whole(0, 15).toString(16)).join('')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${this.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`
  }
}
