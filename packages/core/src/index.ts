/**
 * Durable execution and job queues in the database you already have.
 * @packageDocumentation
 */
export { connect, type ConnectOptions } from './api/connect.js'
export type { Runnable, Store, TriggerOptions } from './api/store.js'
export type { StoreOptions } from './api/open-store.js'

export {
  defineQueue,
  type HandlerOptions,
  type MessageHandler,
  type QueueDefinition,
  type QueueHandler,
  type QueueOptions,
} from './queue/define-queue.js'
export type {
  Producer,
  EnqueueManyOptions,
  EnqueueStreamOptions,
  EnqueueOptions,
  MessageOptions,
  OnConflict,
  ProducerOptions,
} from './queue/producer.js'
export type { EnqueueProgress } from './queue/enqueue-stream.js'
export type { BatchResult, Consumer, ConsumerOptions, DequeueOptions } from './queue/consumer.js'
export { Snooze, type HandledMessage, type LeasedMessage } from './queue/message.js'
export type { PayloadLimits } from './queue/limits.js'
export type { RateLimit } from './queue/rate-limit.js'

export {
  defineWorkflow,
  type WorkflowDefinition,
  type WorkflowFunction,
  type WorkflowOptions,
} from './workflow/define-workflow.js'
export type { Resumed, Run, StepContext, StepOptions, TransactionOptions } from './workflow/run.js'
export type { ResultOptions, RunHandle, StepInfo } from './workflow/run-handle.js'

export type { StopOptions, StopReason, Worker, WorkerOptions } from './worker/worker.js'
export type { WorkerEvent } from './worker/events.js'
export type { RetentionOptions } from './worker/maintenance.js'

export type { Admin, SystemStats } from './admin/admin.js'
export type { MessageInfo, Page } from './admin/describe.js'
export type { DeadLetterAdmin, ListOptions, MessageAdmin } from './admin/messages.js'
export type { PurgeWhat, QueueAdmin, QueueInfo, QueueMetrics } from './admin/queues.js'
export type { RunAdmin, RunListOptions } from './admin/runs.js'
export type { WorkerAdmin, WorkerInfo, WorkerStats } from './admin/workers.js'
export type { InstallReport, VerifyReport } from './store/install.js'

export { TransactionAdapter } from './transaction/adapter.js'
export {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromLibsql,
  fromPg,
  fromPrisma,
  fromTypeOrm,
} from './transaction/adapters.js'
export type { DriverTransaction } from './transaction/types.js'

export { resolveConfig, type ConfigPlaces, type ConfigSource, type ResolvedConfig } from './config/resolve.js'
export type { Config, ConfigInput } from './config/settings.js'
export type { Duration } from './duration.js'
export type { RetryOptions } from './retry.js'
export type { ErrorClass } from './codec/error-record.js'
export type { Database } from './db/schema.js'
export type { Status, StepKind, StepStatus, WorkerStatus } from './status.js'
export type { CallOptions } from './store/engine.js'

export * from './errors.js'
