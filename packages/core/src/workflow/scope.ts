import { DuplicateStepError } from '../errors.js'
import { checkKey, checkName, checkStepPath, display } from '../names.js'

/**
 * Gives the boundaries of one stretch of code their names. The same code gives the same names in every replay,
 * whatever order its parallel branches finish in.
 */
export class Scope {
  /** Checkpoints of this scope the code has seen. */
  seen = 0
  private readonly used = new Map<string, { count: number; inFlight: number }>()

  constructor(readonly path: string) {}

  /**
   * Names the next boundary: `name`, then `name#2`, `name#3`; with a key `name[key]`.
   * @returns the full name, and a function to call when the boundary is done.
   * @throws DuplicateStepError when a boundary of that name is in flight
   */
  enter(name: string, key: string | undefined): { readonly name: string; readonly leave: () => void } {
    checkName('step', name)
    const base = key === undefined ? name : `${name}[${escape(checkKey('step', key))}]`
    const use = this.used.get(base) ?? { count: 0, inFlight: 0 }
    if (use.inFlight > 0) {
      throw new DuplicateStepError(
        `A step named ${display(base)} is in flight already${this.path === '' ? '' : ` in ${this.path}`}. ` +
          'Give each parallel use a key of its own, or use run.map, which gives each item its own scope.',
      )
    }
    const numbered = use.count === 0 ? base : `${base}#${use.count + 1}`
    const full = checkStepPath(this.path === '' ? numbered : `${this.path}/${numbered}`)
    use.count++
    use.inFlight++
    this.used.set(base, use)
    return {
      name: full,
      leave: () => {
        use.inFlight--
      },
    }
  }
}

// The characters that have a meaning in names.
function escape(key: string): string {
  return key.replaceAll(/[%/[\]#]/g, (character) => encodeURIComponent(character))
}
