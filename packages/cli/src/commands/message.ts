import type { Command } from 'commander'
import { InvalidArgumentError, type EnqueueOptions, type MessageInfo } from '@pgqrs/core'
import { addCommand, addGroup, EXAMPLE_ID, wholeNumber } from '../command.js'
import { readJson } from '../json-input.js'
import { safe } from '../output/escape.js'
import { errorLines, jsonLines, type Output } from '../output/output.js'
import { relative } from '../output/time.js'
import type { Session, StoreWork } from '../session.js'
import {
  addPageOptions,
  addStatusOption,
  answerPage,
  messageColumns,
  pageOptions,
  preview,
  statusOption,
  type PageOptions,
} from './listing.js'

interface MessageListOptions extends PageOptions {
  readonly queue?: string
  readonly status?: string
}

interface MessageEnqueueOptions {
  readonly stdin?: boolean
  readonly delay?: string
  readonly priority?: number
  readonly key?: string
}

/** `message list|show|enqueue|archive`. */
export function addMessageCommands(program: Command, session: Session): void {
  const group = addGroup(program, {
    usage: 'message',
    description: 'Single messages. A run of a workflow is a message too.',
    examples: ['message list --queue emails', 'message enqueue emails \'{"to":"a@example.com"}\''],
  })
  const listing = addCommand(group, {
    usage: 'list',
    description: 'List messages, newest first.',
    examples: ['message list --queue emails --status queued,running', 'message list --limit 200 --json'],
  }).option('--queue <name>', 'only of this queue')
  addPageOptions(addStatusOption(listing)).action((options: MessageListOptions, command: Command) =>
    session.withStore(command, (work) => list(work, options)),
  )

  addCommand(group, {
    usage: 'show <id>',
    description: 'Show a message with its payload, output and error.',
    examples: [`message show ${EXAMPLE_ID}`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      const message = await store.admin.messages.get(id)
      out.answer(message, () => {
        showMessage(out, message)
      })
      return undefined
    }),
  )
  addCommand(group, {
    usage: 'enqueue <queue> [json]',
    description: 'Enqueue a message on a queue that is known.',
    examples: [
      'message enqueue emails \'{"to":"a@example.com"}\' --delay 5m --priority 1 --key welcome-42',
      'message enqueue emails --stdin < payload.json',
    ],
  })
    .option('--stdin', 'read the JSON from standard input')
    .option('--delay <duration>', 'visible after this long, such as 30s or 5m')
    .option('--priority <n>', 'higher is served first', wholeNumber)
    .option(
      '--key <key>',
      'at most one unfinished message of the queue has this key; when it is there, its id is told',
    )
    .action((queue: string, json: string | undefined, options: MessageEnqueueOptions, command: Command) =>
      session.withStore(command, (work) => enqueue(work, queue, json, options)),
    )

  addCommand(group, {
    usage: 'archive <id>',
    description: 'Finish a message nobody holds, as if its handler had returned.',
    examples: [`message archive ${EXAMPLE_ID}`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      await store.admin.messages.archive(id)
      out.answer({ id, archived: true }, () => out.line(safe`Archived ${id}.`))
      return undefined
    }),
  )
}

async function list({ store, out }: StoreWork, options: MessageListOptions): Promise<undefined> {
  const page = await store.admin.messages.list({
    ...pageOptions(options),
    ...statusOption(options.status),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
  })
  const { id, queue, status, key, enqueued } = messageColumns(out)
  const payload = { title: 'payload', of: (row: MessageInfo) => preview(row.payload) }
  answerPage(out, page, [id, queue, status, key, enqueued, payload], 'No messages.')
}

async function enqueue(
  { store, out, io }: StoreWork,
  queue: string,
  json: string | undefined,
  options: MessageEnqueueOptions,
): Promise<undefined> {
  if ((json === undefined) === (options.stdin !== true)) {
    throw new InvalidArgumentError('Give the payload as JSON after the queue, or --stdin, and not both.')
  }
  const payload = await readJson(json, io.stdin)
  // A producer would bring a mistyped queue into being.
  await store.admin.messages.list({ queue, limit: 1 })
  const { delay, priority, key } = options
  const given: EnqueueOptions = {
    ...(delay === undefined ? {} : { delay }),
    ...(priority === undefined ? {} : { priority }),
    ...(key === undefined ? {} : { key }),
  }
  const id = await store.producer<unknown>(queue).enqueue(payload, given)
  out.answer({ id, queue }, () => out.line(safe`Enqueued ${id} on ${queue}.`))
}

/** Shows a message, whole. */
export function showMessage(out: Output, message: MessageInfo, queueIs = 'queue'): void {
  const at = (date: Date | undefined): string | undefined =>
    date === undefined ? undefined : `${date.toISOString()} (${relative(date)})`
  out.details([
    ['id', message.id],
    [queueIs, message.queue],
    ['status', message.status],
    ['key', message.key],
    ['priority', message.priority],
    ['claims', message.claims],
    ['failures', message.failures],
    ['crashes', message.crashes],
    ['worker', message.workerId],
    ['enqueued', at(message.enqueuedAt)],
    // What is finished keeps the end of its last lease, which says nothing any more.
    ['visible', message.finishedAt === undefined ? at(message.visibleAt) : undefined],
    ['started', at(message.startedAt)],
    ['finished', at(message.finishedAt)],
    ['payload', jsonLines(message.payload)],
    ['output', jsonLines(message.output)],
    ['error', errorLines(message.error)],
  ])
}
