import Table from 'cli-table3'
import color from 'picocolors'
import type { Report, Verdict } from './check.js'
import { describeEvent } from './describe-event.js'

/** How to print. */
export interface PrintOptions {
  /** Receives each line. Default: console.log. */
  readonly line?: (text: string) => void
  /** How to repeat the run. */
  readonly repeat?: string
  /** What else the run has to say of itself: lines above the last ones. */
  readonly notes?: readonly string[]
  /** What was asked for and could not be done: named, and counted as skipped in the last line. */
  readonly leftOut?: readonly LeftOut[]
}

/** A part of a run that could not be had where it ran. */
export interface LeftOut {
  readonly what: string
  readonly reason: string
}

/**
 * Prints the violations with their slices, the table of invariants, their counts, the seed, what was left out, and at
 * the end `N passed, M failed`, with `, K skipped` behind it when something was left out.
 */
export function printReport(report: Report, options: PrintOptions = {}): void {
  const line = options.line ?? ((text: string) => console.log(text))
  for (const verdict of report.verdicts)
    if (verdict.outcome === 'violated') printViolations(verdict, report, line)
  for (const text of tableOf(report).split('\n')) line(text)
  for (const { id, reason } of report.notOffered) line(color.dim(`${id.padEnd(5)} not offered: ${reason}`))
  const { facts, events, torn } = report
  line(`${events} events${torn === 0 ? '' : `, ${torn} half lines of killed processes`}`)
  for (const note of options.notes ?? []) line(note)
  const excused = report.verdicts.filter(({ outcome }) => outcome === 'inapplicable').length
  line(`invariants: ${report.passed} held, ${report.failed} failed, ${excused} not applicable`)
  line(
    `store ${facts.store}, load ${facts.load}, faults ${facts.faults.join(',') || 'none'}, seed ${facts.seed}`,
  )
  if (options.repeat !== undefined) line(`again: ${options.repeat}`)
  const leftOut = options.leftOut ?? []
  for (const { what, reason } of leftOut) line(`left out: ${what}: ${reason}`)
  const skipped = leftOut.length === 0 ? '' : `, ${leftOut.length} skipped`
  line(`${report.passed} passed, ${report.failed} failed${skipped}`)
}

function printViolations(verdict: Verdict, report: Report, line: (text: string) => void): void {
  line(color.red(`${verdict.id} ${verdict.sentence}: ${counted(verdict.violated, 'violation')}`))
  for (const { says, about, slice, evidence } of verdict.violations) {
    const of = Object.entries(about).map(([what, name]) => `${what} ${name}`)
    line(`  ${says}${of.length === 0 ? '' : ` (${of.join(', ')})`}`)
    for (const event of slice) {
      const proof = evidence.includes(event)
      line(`  ${proof ? color.red('>') : ' '} ${describeEvent(event, report.facts)}`)
    }
    line('')
  }
}

function tableOf({ verdicts }: Report): string {
  const table = new Table({
    head: ['', 'invariant', 'checked', 'violated'],
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const verdict of verdicts) table.push(rowOf(verdict))
  return table.toString()
}

function rowOf({ id, sentence, checked, violated, outcome, reason }: Verdict): string[] {
  switch (outcome) {
    case 'held':
      return [id, sentence, String(checked), '0']
    case 'violated':
      return [color.red(id), color.red(sentence), String(checked), color.red(String(violated))]
    case 'blind':
      return [color.red(id), `${sentence}: ${color.red('looked at nothing')}`, '0', '-']
    case 'inapplicable':
      return [color.dim(id), color.dim(`${sentence}: not applicable: ${reason ?? ''}`), '-', '-']
  }
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
