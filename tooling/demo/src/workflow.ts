import { defineQueue, defineWorkflow, type QueueDefinition, type WorkflowDefinition } from '@pgqrs/core'

/** What a run is asked to do. Both paths are absolute: the next process may stand in another folder. */
export interface ArchiveRequest {
  readonly directory: string
  readonly archive: string
}

/** A file as it went into the archive. Its path is relative to the directory, with `/`. */
export interface ArchivedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** The archive a run has made: what it returns, and what the user's table and the notification say. */
export interface Archive {
  readonly archive: string
  readonly files: number
  readonly bytes: number
  readonly sha256: string
}

/** The message that says that an archive is ready. */
export interface Notification extends Archive {
  readonly runId: string
}

/** What the steps do: ordinary functions of the application. `Tx` is the driver's own transaction. */
export interface Effects<Tx> {
  readonly listFiles: (directory: string) => Promise<string[]>
  readonly sizeOf: (directory: string, path: string) => Promise<number>
  readonly sha256Of: (directory: string, path: string) => Promise<string>
  readonly pack: (request: ArchiveRequest, files: readonly ArchivedFile[]) => Promise<Archive>
  readonly record: (tx: Tx, runId: string, archive: Archive) => void | Promise<void>
  readonly notify: (tx: Tx, notification: Notification) => Promise<void>
}

/** Names in the database. A shared one gets a suffix, so that nobody else's workers take part in the demo. */
export interface Names {
  readonly workflow: string
  readonly notifications: string
}

/** The main job: archives a directory, records the archive, and a little later tells others about it. */
export function archiveFiles<Tx>(
  { listFiles, sizeOf, sha256Of, pack, record, notify }: Effects<Tx>,
  names: Names,
): WorkflowDefinition<ArchiveRequest, Archive, Tx> {
  return defineWorkflow<ArchiveRequest, Archive, Tx>(
    names.workflow,
    { lease: '2s' },
    async (run, request) => {
      const { directory } = request
      const paths = await run.step('list_files', () => listFiles(directory))

      const files = await run.map(
        'file',
        paths,
        async (path, file) => {
          const bytes = await file.step('size', () => sizeOf(directory, path))
          const sha256 = await file.step('sha256', () => sha256Of(directory, path))
          return { path, bytes, sha256 }
        },
        { concurrency: 4 },
      )

      // Packing again gives the same bytes under the same name, so a crash in here costs time and nothing else.
      const archive = await run.step('pack', () => pack(request, files))

      // The row and the record of this step are one commit: there is no moment with one and without the other.
      await run.transaction('record', (tx) => record(tx, run.id, archive))

      await run.sleep('cool_down', '3s')

      // Again one commit, so exactly one message. A step with a `key` would give that only until a consumer has
      // finished the first message, and one with an `id` only for as long as that message is kept.
      await run.transaction('notify', (tx) => notify(tx, { runId: run.id, ...archive }))

      return archive
    },
  )
}

/** The queue of notifications. */
export function notificationsOf(names: Names): QueueDefinition<Notification> {
  return defineQueue<Notification>(names.notifications)
}
