import type { Status } from '../status.js'
import { NotFoundError } from '../errors.js'
import { checkKeys, checkName, display, suggestion } from '../names.js'
import type { CallOptions } from '../store/engine.js'
import type { MessageInfo, Page } from './describe.js'
import type { DeadLetterAdmin, ListOptions, MessageAdmin } from './messages.js'
import type { QueueAdmin } from './queues.js'

/** Which runs to list. */
export interface RunListOptions extends Omit<ListOptions, 'queue'> {
  /** Default: every workflow. */
  readonly workflow?: string
}

/** Runs of workflows. */
export class RunAdmin {
  /** @internal */
  constructor(
    private readonly queues: QueueAdmin,
    private readonly messages: MessageAdmin,
    private readonly dead: DeadLetterAdmin,
  ) {}

  /** Newest first. @throws NotFoundError for an unknown workflow */
  async list(options: RunListOptions = {}): Promise<Page<MessageInfo>> {
    checkKeys(options, ['workflow', 'status', 'limit', 'cursor', 'signal'], 'runs')
    const { workflow, ...rest } = options
    if (workflow !== undefined) checkName('workflow', workflow)
    return this.messages.page(rest, async () => {
      const queues = await this.queues.list()
      const names = queues.filter((queue) => queue.kind === 'workflow').map((queue) => queue.name)
      if (workflow === undefined) return names
      if (names.includes(workflow)) return [workflow]
      throw new NotFoundError(`There is no workflow ${display(workflow)}.${suggestion(workflow, names)}`)
    })
  }

  /** @throws NotFoundError */
  async get(id: string, options: CallOptions = {}): Promise<MessageInfo> {
    return this.messages.get(id, options)
  }

  /** @throws InvalidStateError, NotFoundError */
  async cancel(id: string, reason?: string, options: CallOptions = {}): Promise<Status> {
    return this.messages.cancel(id, reason, options)
  }

  /** Runs a failed run again, keeping its checkpoints: only the step that failed it runs again. @throws InvalidStateError, NotFoundError */
  async retry(id: string, options: CallOptions = {}): Promise<void> {
    await this.dead.replay(id, options)
  }
}
