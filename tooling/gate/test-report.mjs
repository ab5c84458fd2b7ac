import { readFile } from 'node:fs/promises'

/** The counts of a vitest run. A run that failed, or ran nothing, never counts as free of failures. */
export async function readTestReport(path, exitCode) {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const report = text === undefined ? { passed: 0, failed: 0, skipped: [] } : JSON.parse(text)
  if (exitCode !== 0 || report.passed === 0) report.failed = Math.max(report.failed, 1)
  return report
}

/** A skip by name with its reason, so that none goes unnoticed. */
export function nameSkipped({ project, file, name, reason }) {
  return `[${project}] ${file} > ${name}: ${reason ?? 'NO REASON GIVEN'}`
}
