import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HistoryWriter, readHistory } from '../src/history-file.js'
import { Scenario } from './scenario.js'

const factsOf = (): string => JSON.stringify(new Scenario().events[0])

describe('a history file', () => {
  let folder = ''
  let path = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgqrs-history-'))
    path = join(folder, 'w1.jsonl')
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  function write(process: string, ...details: string[]): void {
    const writer = new HistoryWriter(path, process)
    for (const detail of details) writer.append({ kind: 'mark', what: 'fault', detail })
    writer.close()
  }

  const marks = (): (string | undefined)[] =>
    readHistory(folder).events.flatMap((event) => (event.kind === 'mark' ? [event.detail] : []))

  it('brings back what was written, by whom and when', () => {
    writeFileSync(join(folder, 'facts.jsonl'), `${factsOf()}\n`)
    write('w1', 'one', 'two')
    const { events, torn } = readHistory(folder)
    expect(torn).toBe(0)
    expect(marks()).toEqual(['one', 'two'])
    const seen = events.filter((event) => event.kind === 'mark')
    expect(seen.map((event) => event.process)).toEqual(['w1', 'w1'])
    expect(seen[1]?.mono).toBeGreaterThan(seen[0]?.mono ?? Infinity)
  })

  it('merges the files of a folder in the order of the monotonic clock', () => {
    const writers = [join(folder, 'b.jsonl'), join(folder, 'a.jsonl')].map(
      (file) => new HistoryWriter(file, file),
    )
    writers[0]?.append({ kind: 'mark', what: 'fault', detail: '2', mono: 2 })
    writers[1]?.append({ kind: 'mark', what: 'fault', detail: '1', mono: 1 })
    writers[0]?.append({ kind: 'mark', what: 'fault', detail: '3', mono: 3 })
    for (const writer of writers) writer.close()
    writeFileSync(join(folder, 'facts.jsonl'), `${factsOf()}\n`)
    expect(marks()).toEqual(['1', '2', '3'])
  })

  it('accepts a half line at the end, and one that another life of the process was written behind', () => {
    writeFileSync(path, `${factsOf()}\n`)
    write('w1', 'one', 'torn')
    truncateSync(path, readFileSync(path).length - 20)
    expect(readHistory(path)).toMatchObject({ torn: 1 })
    write('w1 again', 'two')
    expect(readHistory(path)).toMatchObject({ torn: 1 })
    expect(marks()).toEqual(['one', 'two'])
  })

  it('refuses a file that is broken elsewhere', () => {
    writeFileSync(path, `${factsOf()}\n`)
    write('w1', 'one')
    appendFileSync(path, '{"kind":"ma\n{"kind":"mark","what":"quiet","process":"w1","mono":1,"wall":1}\n')
    expect(() => readHistory(path)).toThrow(/Line 4 of .*w1.jsonl is no JSON/)
    writeFileSync(path, `${factsOf()}\nnonsense\n`)
    expect(() => readHistory(path)).toThrow(/Line 2/)
  })

  it('refuses a history without facts, or with two', () => {
    write('w1', 'one')
    expect(() => readHistory(path)).toThrow(/has 0/)
    appendFileSync(path, `${factsOf()}\n${factsOf()}\n`)
    expect(() => readHistory(path)).toThrow(/has 2/)
  })

  it('loses nothing that was appended before SIGKILL', () => {
    writeFileSync(path, `${factsOf()}\n`)
    const writer = join(import.meta.dirname, '../src/history-file.ts')
    const script = `
      import { HistoryWriter } from ${JSON.stringify(writer)}
      const writer = new HistoryWriter(${JSON.stringify(path)}, 'w1')
      for (let i = 0; i < 1000; i++) writer.append({ kind: 'mark', what: 'fault', detail: String(i) })
      process.kill(process.pid, 'SIGKILL')`
    const { signal } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    expect(signal).toBe('SIGKILL')
    expect(marks()).toHaveLength(1000)
  })
})
