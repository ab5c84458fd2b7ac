import type { DemoDatabase } from './database.js'
import { listFiles, pack, sha256Of, sizeOf } from './files.js'
import { notificationsOf, type Effects, type Names } from './workflow.js'

/** The effects of the workflow on real files and a real database. */
export function effectsOn<Tx>({ store, record }: DemoDatabase<Tx>, names: Names): Effects<Tx> {
  const notifications = store.producer(notificationsOf(names))
  return {
    listFiles,
    sizeOf,
    sha256Of,
    pack,
    record,
    notify: async (tx, notification) => {
      await notifications.enqueue(notification, { tx })
    },
  }
}
