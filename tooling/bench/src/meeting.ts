/** A place where so many wait until the last of them has come. */
export class Meeting {
  private open: () => void = () => undefined
  private readonly opened = new Promise<void>((resolve) => {
    this.open = resolve
  })

  constructor(private missing: number) {}

  /** Call what it returns to come; it resolves when all have come. Who comes twice counts once. */
  guest(): () => Promise<void> {
    let isMissing = true
    return () => {
      if (isMissing && --this.missing === 0) this.open()
      isMissing = false
      return this.opened
    }
  }
}
