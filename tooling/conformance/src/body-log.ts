import { appendFileSync, readFileSync } from 'node:fs'

/** One line of a {@link BodyLog}. */
export interface BodyLine {
  readonly pid: number
  readonly body: string
  readonly what: 'start' | 'end'
}

/** What bodies leave behind outside the database, whatever becomes of their process: a file that is only added to. */
export class BodyLog {
  constructor(readonly file: string) {}

  /** Notes the start and the end of `body` around `work`. */
  async around<T>(body: string, work: () => T | Promise<T>): Promise<T> {
    this.note(body, 'start')
    const value = await work()
    this.note(body, 'end')
    return value
  }

  note(body: string, what: BodyLine['what'] = 'start'): void {
    appendFileSync(this.file, `${process.pid} ${what} ${body}\n`)
  }

  /** Everything noted so far, by all processes, in its order. */
  lines(): BodyLine[] {
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [pid = '', what = '', ...body] = line.split(' ')
        return { pid: Number(pid), what: what === 'end' ? 'end' : 'start', body: body.join(' ') }
      })
  }

  /** How often `body` was started: by all processes, or by one. */
  starts(body: string, pid?: number): number {
    return this.lines().filter(
      (line) => line.body === body && line.what === 'start' && (pid === undefined || line.pid === pid),
    ).length
  }
}
