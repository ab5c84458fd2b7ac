/**
 * For tests of applications: a store in memory, a clock that stands still until it is told to go on, and crashes at
 * every boundary of a workflow.
 * @packageDocumentation
 */
export type { Cancel, Clock, TimerOptions } from './clock.js'
export { TestClock, type UntilOptions } from './testing/test-clock.js'
export { createTestStore, type TestStore, type TestStoreOptions } from './testing/test-store.js'
export {
  crashAtEveryBoundary,
  CrashTestError,
  type CrashReport,
  type CrashTestOptions,
  type RepeatedBody,
} from './testing/crash-at-every-boundary.js'
export type { CrashPoint } from './testing/crash-points.js'
