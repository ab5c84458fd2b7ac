/** Something to wait for that a test opens by hand. */
export class Gate {
  private resolve: () => void = () => undefined
  /** Resolves when the gate opens. */
  readonly passed = new Promise<void>((resolve) => {
    this.resolve = resolve
  })

  readonly open = (): void => {
    this.resolve()
  }
}
