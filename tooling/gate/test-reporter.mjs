// Vitest's own JSON report leaves out why a test was skipped and counts a file that fails to load as no test at all.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'

export default class TestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const report = { passed: 0, failed: unhandledErrors.length, skipped: [] }
    for (const module of modules) {
      const failedBefore = report.failed
      for (const test of module.children.allTests()) this.count(report, module, test)
      if (module.state() === 'failed' && report.failed === failedBefore) report.failed += 1
    }
    writeFileSync(process.env.PGQRS_TEST_REPORT, JSON.stringify(report))
  }

  count(report, module, test) {
    const { state, note } = test.result()
    if (state === 'passed') report.passed += 1
    else if (state === 'failed') report.failed += 1
    else {
      const file = relative(process.cwd(), module.moduleId)
      report.skipped.push({ project: test.project.name, file, name: test.fullName, reason: note ?? null })
    }
  }
}
