import type { Command } from 'commander'
import type { Store } from '@pgqrs/core'
import { openStore, settingsOf, withReadDsn, type GlobalOptions } from './connect.js'
import type { ExitCode } from './exit-codes.js'
import type { Io } from './io.js'
import { holdsSecret } from './mask.js'
import { Output, wantsColor } from './output/output.js'
import { Progress } from './output/progress.js'

/** What a command works with. */
export interface Work {
  readonly io: Io
  readonly out: Output
  readonly options: GlobalOptions
}

/** What a command works with that needs a database. */
export interface StoreWork extends Work {
  readonly store: Store
  /** Driver, place and where that was said; no secrets. */
  readonly target: string
  readonly progress: Progress
}

/** One run of the command line: the streams, and the exit code it ends with. */
export class Session {
  exitCode: ExitCode = 0

  constructor(readonly io: Io) {}

  /** The output and options of a command that needs no database. */
  async work(command: Command): Promise<Work> {
    const options = await withReadDsn(command.optsWithGlobals<GlobalOptions>(), this.io.stdin)
    const color = wantsColor(this.io, options.color)
    return { io: this.io, options, out: new Output(this.io.stdout, options.json === true, color) }
  }

  /** Opens the store, does the work, and closes it whatever happens. The work may return another exit code than 0. */
  async withStore(
    command: Command,
    work: (connected: StoreWork) => Promise<ExitCode | undefined>,
    { create = false }: { readonly create?: boolean } = {},
  ): Promise<void> {
    const begun = await this.work(command)
    this.warnOfVisibleSecret(command, begun)
    const { sources } = settingsOf(begun.options)
    const store = await openStore(begun.options, create)
    const target = `${store.driver} ${store.target} (from ${sources.dsn})`
    const progress = new Progress(this.io.stderr)
    try {
      this.exitCode = (await work({ ...begun, store, target, progress })) ?? this.exitCode
    } finally {
      progress.end()
      await store.close()
    }
  }

  private warnOfVisibleSecret(command: Command, { out }: Work): void {
    const { dsn } = command.optsWithGlobals<GlobalOptions>()
    if (out.isJson || this.io.stderr.isTTY !== true || dsn === undefined || !holdsSecret(dsn)) return
    this.io.stderr.write(
      'warning: others can read --dsn in the list of processes; prefer PGQRS_DSN or --dsn -\n',
    )
  }
}
