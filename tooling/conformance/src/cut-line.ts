import { intercept } from './intercept.js'

/** A way to the database that a test cuts and mends. */
export class CutLine {
  private isCut = false

  /** For `connect({ wrapDriver })`. */
  readonly wrapDriver = intercept(async (statements, next) => {
    if (this.isCut) throw new Error('no way to the database')
    return next(statements)
  })

  cut(): void {
    this.isCut = true
  }

  mend(): void {
    this.isCut = false
  }
}
