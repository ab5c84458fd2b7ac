import picocolors from 'picocolors'

/** Colours text, or leaves it as it is. */
export type Colors = ReturnType<typeof picocolors.createColors>

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 80

/** Lines that stay, and below them one that moves: on a terminal. Elsewhere there is no moving one. */
export class Screen {
  readonly colors: Colors
  private readonly isLive: boolean
  private moving: (() => string) | undefined
  private timer: NodeJS.Timeout | undefined
  private frame = 0

  constructor(
    private readonly out: NodeJS.WriteStream,
    options: { readonly color: boolean },
  ) {
    this.isLive = out.isTTY && process.env['TERM'] !== 'dumb'
    this.colors = picocolors.createColors(options.color && picocolors.isColorSupported)
  }

  /** Prints a line that stays. */
  line(text = ''): void {
    this.erase()
    this.out.write(`${text}\n`)
    this.draw()
  }

  /** Shows a line that is asked for anew many times a second; undefined takes it away. */
  live(text: (() => string) | undefined): void {
    if (!this.isLive) return
    this.moving = text
    if (text === undefined) {
      clearInterval(this.timer)
      this.timer = undefined
      this.erase()
      return
    }
    this.timer ??= setInterval(() => {
      this.frame++
      this.erase()
      this.draw()
    }, FRAME_MS)
    this.erase()
    this.draw()
  }

  private erase(): void {
    if (this.isLive) this.out.write('\r\x1b[2K')
  }

  private draw(): void {
    if (this.moving === undefined) return
    const spinner = FRAMES[this.frame % FRAMES.length] ?? ''
    // A line that wraps could not be erased.
    const text = `  ${spinner} ${this.moving()}`.slice(0, this.out.columns - 1)
    this.out.write(this.colors.yellow(text))
  }
}
