/** What a step without counts of its own has to say. */
export const withoutCounts = (passed) => ({ passed: 0, failed: passed ? 0 : 1, skipped: [], says: '' })

/**
 * The last lines of the gate: a row for each step, everything that was skipped, and the sum of what the steps counted.
 * A step that did not pass counts as one failure at least.
 */
export function summaryOf(results) {
  const width = Math.max(10, ...results.map(({ name }) => name.length + 2))
  const lines = [`${'step'.padEnd(width)}${'result'.padEnd(10)}seconds`]
  for (const { name, result, seconds, says } of results) {
    const row = `${name.padEnd(width)}${result.padEnd(10)}${seconds.toFixed(1).padStart(7)}`
    lines.push(says === '' ? row : `${row}  ${says}`)
  }
  const skipped = results.flatMap(({ name, skipped: own }) => own.map((what) => `  ${name}: ${what}`))
  if (skipped.length > 0) lines.push('', `Skipped: ${skipped.length}`, ...skipped)
  const sum = (count) => results.reduce((total, result) => total + count(result), 0)
  const passed = sum((result) => result.passed)
  const failed = sum((result) => (result.result === 'passed' ? 0 : Math.max(result.failed, 1)))
  lines.push(
    '',
    `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
  )
  return lines
}
