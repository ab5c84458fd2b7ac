import type { DriverTransaction, Store } from '@pgqrs/core'
import { answersOf } from '../answers.js'

/** Installs pgqrs, asks the script of answers, and leaves the tables as new. Closes the store. */
export async function prepared(store: Store<DriverTransaction>): Promise<string[]> {
  try {
    await store.admin.install()
    const answers = await answersOf(store)
    await store.admin.uninstall({ confirm: 'drop every table of pgqrs' })
    await store.admin.install()
    return answers
  } finally {
    await store.close()
  }
}
