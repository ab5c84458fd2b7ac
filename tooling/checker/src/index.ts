/** The invariants of pgqrs, checked over the history of a run. */
export type * from './history.js'
export type * from './operations.js'
export type * from './rows.js'
export type * from './states.js'
export type * from './system-observations.js'
export {
  HistoryWriter,
  historyOf,
  readHistory,
  type History,
  type HistoryClock,
  type Unseen,
} from './history-file.js'
export { check, type CheckOptions, type Report, type ShownViolation, type Verdict } from './check.js'
export { invariants } from './invariants.js'
export { notOffered, type NotChecked } from './not-offered.js'
export { printReport, type LeftOut, type PrintOptions } from './report.js'
export { ReportSum } from './sum-reports.js'
export { canonical, sameValue } from './values.js'
