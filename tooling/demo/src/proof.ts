import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { MessageInfo } from '@pgqrs/core'
import { unzipSync } from 'fflate'
import type { ArchiveRow, DemoDatabase } from './database.js'
import { listFiles, sha256, sha256Of } from './files.js'
import { bodyOf, readBodyRuns, stepsOf, type BodyRun } from './witness.js'
import type { Archive, Names } from './workflow.js'

/** What the story has come to, as the orchestrating process knows it. */
export interface Outcome {
  readonly runId: string
  readonly directory: string
  readonly names: Names
  /** File to which bodies were written. */
  readonly bodies: string
  /** Folder in which the archive is. */
  readonly archives: string
  /** Ids of the process that was killed and the one that took over. */
  readonly killed: number
  readonly successor: number
  /** Names of the steps that were recorded when the first process was dead. */
  readonly recordedAtKill: readonly string[]
  readonly result: Archive
}

/** Everything there is to look at, from outside the engine where possible. */
export interface Evidence extends Pick<
  Outcome,
  'runId' | 'killed' | 'successor' | 'recordedAtKill' | 'result'
> {
  /** The files of the directory and their SHA-256, read once more. */
  readonly files: ReadonlyMap<string, string>
  /** Names of all recorded steps. */
  readonly recorded: readonly string[]
  readonly bodies: readonly BodyRun[]
  readonly rows: readonly ArchiveRow[]
  /** What lies in the folder of archives: the SHA-256 of each file and of each entry in it. */
  readonly archives: readonly { readonly sha256: string; readonly entries: ReadonlyMap<string, string> }[]
  readonly notifications: readonly Pick<MessageInfo, 'payload'>[]
}

/** One line of the proof. */
export interface Check {
  readonly what: string
  /** What was found, when it holds. */
  readonly found: string
  /** What is wrong, when it does not hold. */
  readonly wrong: readonly string[]
}

/** Looks at everything. */
export async function gather<Tx>(outcome: Outcome, database: DemoDatabase<Tx>): Promise<Evidence> {
  const { runId, directory, names } = outcome
  const { admin } = database.store
  const paths = await listFiles(directory)
  const hashes = await Promise.all(paths.map((path) => sha256Of(directory, path)))
  const steps = await database.store.run(names.workflow, runId).steps()
  return {
    ...outcome,
    files: new Map(paths.map((path, i) => [path, hashes[i] ?? ''])),
    recorded: steps.map((step) => step.name),
    bodies: readBodyRuns(outcome.bodies),
    rows: await database.rows(runId),
    archives: await readArchives(outcome.archives),
    notifications: (await admin.messages.list({ queue: names.notifications })).items,
  }
}

async function readArchives(folder: string): Promise<Evidence['archives']> {
  const names = await readdir(folder)
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name))
      const entries = Object.entries(unzipSync(content)).map(
        ([path, bytes]) => [path, sha256(bytes)] as const,
      )
      return { sha256: sha256(content), entries: new Map(entries) }
    }),
  )
}

/** Judges the evidence. */
export function check(evidence: Evidence): Check[] {
  return [
    ...bodyChecks(evidence),
    rowCheck(evidence),
    archiveCheck(evidence),
    notificationCheck(evidence),
    resultCheck(evidence),
  ]
}

/** How often each body ran and where: three groups, by where the step stood when the process was killed. */
function bodyChecks({ files, recordedAtKill, recorded, bodies, killed, successor }: Evidence): Check[] {
  const paths = [...files.keys()]
  const expected = stepsOf(paths)
  const runsOf = (body: string | undefined): number[] =>
    bodies.filter((run) => run.body === body).map((run) => run.pid)
  const begun = expected.filter((step) => runsOf(bodyOf(step, paths)).includes(killed))
  const before = expected.filter((step) => recordedAtKill.includes(step))
  const flying = begun.filter((step) => !before.includes(step))
  const after = expected.filter((step) => !before.includes(step) && !flying.includes(step))

  const group = (what: string, steps: readonly string[], pids: readonly number[], found: string): Check => {
    const counted = steps.filter((step) => bodyOf(step, paths) !== undefined)
    const wrong = counted
      .filter((step) => !isDeepStrictEqual(runsOf(bodyOf(step, paths)), pids))
      .map((step) => `${step} ran in ${runsOf(bodyOf(step, paths)).join(', ') || 'no process'}`)
    if (counted.length === 0)
      wrong.push('there is no such step: the kill came at a moment that shows nothing')
    return verdict(`${counted.length} ${counted.length === 1 ? 'step' : 'steps'} ${what}`, found, wrong)
  }
  const missing = expected.filter((step) => !recorded.includes(step)).map((step) => `${step} is not recorded`)
  const unknown = recorded.filter((step) => !expected.includes(step)).map((step) => `${step} is recorded`)
  const known = new Set(expected.map((step) => bodyOf(step, paths)))
  const strange = bodies.filter((run) => !known.has(run.body)).map((run) => `${run.body} ran in ${run.pid}`)
  return [
    group('recorded before the kill', before, [killed], `each body ran once, in ${killed}`),
    group('running at the kill', flying, [killed, successor], `each body ran once more, in ${successor}`),
    group('begun after the kill', after, [successor], `each body ran once, in ${successor}`),
    verdict(`${expected.length} checkpoints of the run`, 'one for each step, one for the sleep', [
      ...missing,
      ...unknown,
      ...strange,
    ]),
  ]
}

function rowCheck({ runId, rows, result, files }: Evidence): Check {
  const wrong = rows.length === 1 ? [] : [`there are ${rows.length} rows`]
  for (const row of rows) {
    if (row.run_id !== runId) wrong.push(`a row is of run ${row.run_id}`)
    if (row.sha256 !== result.sha256) wrong.push(`a row says sha256 ${short(row.sha256)}`)
    if (row.files !== files.size) wrong.push(`a row says ${row.files} files`)
  }
  return verdict('1 row in demo_archives', "it names this run and the archive's sha256", wrong)
}

function archiveCheck({ archives, result, files }: Evidence): Check {
  const wrong = archives.length === 1 ? [] : [`there are ${archives.length} files in the folder of archives`]
  for (const archive of archives) {
    if (archive.sha256 !== result.sha256) wrong.push(`its sha256 is ${short(archive.sha256)}`)
    for (const [path, hash] of files) {
      const inside = archive.entries.get(path)
      if (inside !== hash) wrong.push(inside === undefined ? `${path} is not in it` : `${path} differs`)
    }
    for (const path of archive.entries.keys()) if (!files.has(path)) wrong.push(`${path} is in it`)
  }
  return verdict(
    '1 archive on disk',
    `${files.size} files in it, each with the sha256 of the original`,
    wrong,
  )
}

function notificationCheck({ notifications, runId, result }: Evidence): Check {
  const wrong = notifications.length === 1 ? [] : [`there are ${notifications.length} messages in the queue`]
  for (const { payload } of notifications) {
    if (!isDeepStrictEqual(payload, { runId, ...result })) wrong.push('a message says something else')
  }
  return verdict('1 notification in its queue', 'it names this run and this archive', wrong)
}

function resultCheck({ result, files, archives }: Evidence): Check {
  const wrong = archives.some(({ sha256 }) => sha256 === result.sha256) ? [] : ['there is no such archive']
  if (result.files !== files.size) wrong.push(`it says ${result.files} files`)
  return verdict('1 result of the run', `${result.files} files, sha256 ${short(result.sha256)}`, wrong)
}

function verdict(what: string, found: string, wrong: readonly string[]): Check {
  return { what, found, wrong }
}

function short(hash: string): string {
  return `${hash.slice(0, 12)}…`
}
