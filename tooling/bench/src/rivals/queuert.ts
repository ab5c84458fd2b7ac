// queuert, https://github.com/kvet/queuert. On 2026-11-22 the npm registry answered 404 for `queuert`, `@queuert/core`,
// `@queuert/postgres` and `@queuert/sqlite`, in every version; its repository (0.14.1) asks for Node 22.
import type { System } from '../system.js'

const refusal = 'npm has no such package (404 for queuert, @queuert/postgres and @queuert/sqlite)'

/** queuert, which is named in every report and cannot be installed. */
export const queuert: System = {
  name: 'queuert',
  configuration: 'best',
  note: refusal,
  kind: 'both',
  stores: ['postgres', 'sqlite'],
  packageName: 'queuert',
  supports: () => refusal,
  shortestLease: 'unknown',
  install: () => Promise.reject(new Error(refusal)),
  open: () => Promise.reject(new Error(refusal)),
  backlogSql: () => 'select 0',
  finishedSql: () => undefined,
}
