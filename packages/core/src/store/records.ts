/**
 * What the layers above the store know of rows and statements: types only, and two constants.
 */
export type { Execute, ExecuteNow, TransactionPlan } from '../db/driver.js'
export type { Row, Statement } from '../db/statement.js'
export type { Claim, ClaimedRow, ClaimQueue } from '../queries/claims.js'
export { FIRST_PAGE } from '../queries/lists.js'
export type { HandedMessage, HandedRow, NewMessage } from '../queries/enqueue.js'
export type { Finish, Release } from '../queries/leases.js'
export { NEVER_MS, type MessageRow, type OutcomeRow } from '../queries/messages.js'
export type { QueueRow } from '../queries/queues.js'
export type { HistoryRow, NewCheckpoint, RecordedRow } from '../queries/steps.js'
export type { WorkerRow } from '../queries/workers.js'
