import { connect, defineQueue, type Store } from '@pgqrs/core'
import { pgqrs } from './command-line.js'
import type { Sandbox } from './sandbox.js'

/** A line of a sh block. */
export interface Command {
  readonly text: string
  /** Why it is not run here. */
  readonly notRun: string | undefined
}

/** What is not run here, each with who runs it instead or why nobody can. */
const runElsewhere: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^npm (i|install) /, 'installs from the registry; the test of the CLI installs packed tarballs'],
  [/^npm test( |$)/, 'is the gate this test is a part of'],
  [/^npm run demo( |$)/, 'has a test of its own, tooling/demo/test'],
  [/^npm run bench( |$)/, 'measures for minutes; its parts have tests, tooling/bench/test'],
  [/^npm run (chaos|simulate)( |$)/, 'runs for a minute and more; CI runs it, and its parts have tests'],
  [/^npm run (format|api:update|changeset)( |$)/, 'changes the checkout'],
  [/^npm run vitest( |$)/, 'would run the tests inside of a test'],
  [/^git clone /, 'needs the network'],
  [/^node --conditions=@pgqrs\/source --import tsx docs\/examples\//, 'examples.test.ts runs every example'],
]

/** The commands of a sh block; comments are left out. */
export function commandsOf(code: string): Command[] {
  return code
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .map((text) => ({ text, notRun: runElsewhere.find(([pattern]) => pattern.test(text))?.[1] }))
}

/**
 * Runs a command and returns what it printed on standard output.
 * @throws Error for a command nobody knows here, or one that does not end with 0.
 */
export async function runCommand(command: string, sandbox: Sandbox): Promise<string> {
  const [first = '', ...words] = wordsOf(await sandbox.localized(command))
  if (first === 'export') {
    const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(words[0] ?? '') ?? []
    sandbox.env[name] = value
    return ''
  }
  if (first !== 'npx' || words[0] !== 'pgqrs')
    throw new Error(`${command}: nobody knows how to run this here`)
  return pgqrs(await named(words.slice(1), sandbox), sandbox.folder, sandbox.env)
}

/** The words of a command, without the quotes of the shell. */
function wordsOf(text: string): string[] {
  if (/[|><;&$`\\](?!id>)/.test(text.replaceAll(/'[^']*'|<id>/g, ''))) {
    throw new Error(`${text}: only plain commands are run here`)
  }
  return [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
  )
}

/** The words with an id that exists in place of `<id>`: of what the command is about. */
async function named(words: readonly string[], sandbox: Sandbox): Promise<string[]> {
  if (!words.includes('<id>')) return [...words]
  const [group = '', verb = ''] = words
  const store = await connect(sandbox.configuredDsn())
  try {
    const id = group === 'worker' ? await liveWorker(sandbox, verb) : await newest(store, group, verb)
    return words.map((word) => (word === '<id>' ? id : word))
  } finally {
    await store.close()
  }
}

async function newest({ admin }: Store, group: string, verb: string): Promise<string> {
  const queues = { dead: () => admin.dead.list(), message: () => admin.messages.list(byVerb(verb)) }
  const page =
    group === 'run' ? await admin.runs.list(byVerb(verb)) : await queues[group as keyof typeof queues]()
  const id = page.items[0]?.id
  if (id === undefined)
    throw new Error(`there is nothing in the database that ${group} ${verb} could be about`)
  return id
}

function byVerb(verb: string): { status?: 'queued' | 'error' | 'success' } {
  const statuses = { archive: 'queued', cancel: 'queued', retry: 'error', result: 'success' } as const
  return verb in statuses ? { status: statuses[verb as keyof typeof statuses] } : {}
}

/** A worker that polls as long as the sandbox is there. */
async function liveWorker(sandbox: Sandbox, verb: string): Promise<string> {
  const store = await connect(sandbox.configuredDsn())
  const worker = store.worker([defineQueue('of_the_sandbox').handler(() => undefined)])
  await worker.start()
  sandbox.onRemove(() => store.close())
  if (verb === 'resume') await store.admin.workers.suspend(worker.id)
  return worker.id
}
