/** The lines that a process prints, for those who wait for them. */
export interface PrintedLines {
  /** A line has been printed. */
  add(line: string): void
  /** There will be no more. */
  end(): void
  /** All lines from the first one, then the end. */
  each(): AsyncGenerator<string>
  /**
   * The next line that fits, after those that an earlier call has passed.
   * @returns undefined when there is none in time, or at all.
   */
  next(fits: (line: string) => boolean, timeoutMs: number): Promise<string | undefined>
}

/** No lines yet. */
export function createPrintedLines(): PrintedLines {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let ended = false
  let passed = 0

  function wake(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  /** Resolves with the next line or the end, or after the time. */
  function news(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs)
      waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  return {
    add(line) {
      lines.push(line)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async *each() {
      for (let index = 0; ; index++) {
        while (index >= lines.length && !ended) await news()
        const line = lines[index]
        if (line === undefined) return
        yield line
      }
    },
    async next(fits, timeoutMs) {
      const deadline = performance.now() + timeoutMs
      for (;;) {
        for (const line of lines.slice(passed)) {
          passed += 1
          if (fits(line)) return line
        }
        const left = deadline - performance.now()
        if (ended || left <= 0) return undefined
        await news(left)
      }
    },
  }
}
