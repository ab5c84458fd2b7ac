import type { Command } from 'commander'
import { InvalidArgumentError, type MessageInfo } from '@pgqrs/core'
import { addCommand, addGroup, EXAMPLE_ID } from '../command.js'
import { exitCodes, type ExitCode } from '../exit-codes.js'
import { counted } from '../output/counted.js'
import { safe } from '../output/escape.js'
import { errorLine } from '../output/output.js'
import { relative } from '../output/time.js'
import { toldBy } from '../pgqrs-error.js'
import type { Session, StoreWork } from '../session.js'
import { addPageOptions, answerPage, messageColumns, pageOptions, type PageOptions } from './listing.js'
import { showMessage } from './message.js'

interface DeadListOptions extends PageOptions {
  readonly queue?: string
}

interface ReplayOptions {
  readonly queue?: string
}

/** A dead letter that could not be replayed. */
interface Refusal {
  readonly id: string
  readonly code: string
  readonly message: string
}

const PAGE = 100

/** `dead list|show|replay`. */
export function addDeadCommands(program: Command, session: Session): void {
  const group = addGroup(program, {
    usage: 'dead',
    description: 'Dead letters: messages and runs that ended unsuccessfully.',
    examples: ['dead list --queue emails', 'dead replay --queue emails'],
  })
  const listing = addCommand(group, {
    usage: 'list',
    description: 'List dead letters, newest first.',
    examples: ['dead list', 'dead list --queue emails --json'],
  }).option('--queue <name>', 'only of this queue or workflow')
  addPageOptions(listing).action((options: DeadListOptions, command: Command) =>
    session.withStore(command, (work) => list(work, options)),
  )

  addCommand(group, {
    usage: 'show <id>',
    description: 'Show a dead letter with its payload and error.',
    examples: [`dead show ${EXAMPLE_ID}`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      const message = await store.admin.dead.get(id)
      out.answer(message, () => {
        showMessage(out, message)
      })
      return undefined
    }),
  )

  addCommand(group, {
    usage: 'replay [id]',
    description:
      'Put a dead letter, or with --queue every one of a queue, back with a clean slate. A run keeps its checkpoints.',
    examples: [`dead replay ${EXAMPLE_ID}`, 'dead replay --queue emails'],
  })
    .option('--queue <name>', 'every dead letter of this queue or workflow')
    .action((id: string | undefined, options: ReplayOptions, command: Command) =>
      session.withStore(command, (work) => replay(work, id, options.queue)),
    )
}

async function list({ store, out }: StoreWork, options: DeadListOptions): Promise<undefined> {
  const page = await store.admin.dead.list({
    ...pageOptions(options),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
  })
  const { id, queue } = messageColumns(out)
  const columns = [
    id,
    queue,
    { title: 'failures', of: (row: MessageInfo) => row.failures, align: 'right' as const, isWhole: true },
    { title: 'crashes', of: (row: MessageInfo) => row.crashes, align: 'right' as const, isWhole: true },
    { title: 'finished', of: (row: MessageInfo) => relative(row.finishedAt), isWhole: true },
    { title: 'error', of: (row: MessageInfo) => errorLine(row.error) },
  ]
  answerPage(out, page, columns, 'No dead letters.')
}

async function replay(
  work: StoreWork,
  id: string | undefined,
  queue: string | undefined,
): Promise<ExitCode | undefined> {
  const { store, out } = work
  if (id !== undefined && queue === undefined) {
    await store.admin.dead.replay(id)
    out.answer({ replayed: 1, refused: [] }, () => out.line(safe`Replayed ${id}.`))
    return undefined
  }
  if (id !== undefined || queue === undefined) {
    throw new InvalidArgumentError('Give the id of one dead letter, or --queue <name> for all of a queue.')
  }
  const { replayed, refused } = await replayAll(work, queue)
  out.answer({ replayed, refused }, () => {
    for (const { id: refusedId, message } of refused) out.line(safe`Not replayed: ${refusedId}: ${message}`)
    out.line(safe`Replayed ${counted(replayed, 'dead letter')} of ${queue}.`)
  })
  return refused.length === 0 ? undefined : exitCodes.no
}

// By cursor, so that what fails again meanwhile is not met again, and one that is refused does not hold up the others.
async function replayAll(
  { store, progress }: StoreWork,
  queue: string,
): Promise<{ replayed: number; refused: Refusal[] }> {
  const refused: Refusal[] = []
  let replayed = 0
  let cursor: string | undefined
  do {
    const page = await store.admin.dead.list({
      queue,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const { id } of page.items) {
      try {
        await store.admin.dead.replay(id)
        replayed += 1
      } catch (error) {
        const refusal = toldBy(error)
        if (refusal === undefined || !['KEY_CONFLICT', 'INVALID_STATE'].includes(refusal.code)) throw error
        refused.push({ id, code: refusal.code, message: refusal.message })
      }
      progress.show(`replayed ${counted(replayed, 'dead letter')}`)
    }
    cursor = page.next
  } while (cursor !== undefined)
  progress.end()
  return { replayed, refused }
}
