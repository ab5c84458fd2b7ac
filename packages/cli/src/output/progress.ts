import type { OutputStream } from '../io.js'

const EVERY_MS = 100

/** A line on a terminal that is written over as the work goes on; elsewhere nothing. */
export class Progress {
  private lastMs = Number.NEGATIVE_INFINITY
  private isShown = false

  constructor(private readonly stream: OutputStream) {}

  /** Shows how far it is. */
  show(text: string): void {
    const now = performance.now()
    if (this.stream.isTTY !== true || now - this.lastMs < EVERY_MS) return
    this.lastMs = now
    this.isShown = true
    this.stream.write(`\r\u001b[K${text}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.isShown) this.stream.write('\r\u001b[K')
    this.isShown = false
  }
}
