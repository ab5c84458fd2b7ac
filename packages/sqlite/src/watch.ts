import { watch as watchFile, type FSWatcher } from 'node:fs'
import type { Cancel, Clock, WakeChannel } from '@pgqrs/core/driver'
import type { Database, Statement } from 'better-sqlite3'

// A look costs about two microseconds and reads no table.
const LOOK_EVERY_MS = 20
// Where the operating system tells that the log grows, this is for the case that it once does not.
const LOOK_ANYWAY_MS = 250
// The log grows first, then it is flushed, and only then is the commit there for others to see.
const LOOK_AGAIN_MS = [1, 1, 2, 4, 8, 16, 32, 64]

/**
 * Hints about writes of other processes: `PRAGMA data_version` changes when another connection commits. What changed
 * is not known, so the hint is always "anything".
 */
export function watch(db: Database, clock: Clock): WakeChannel {
  return {
    listen: (heard, proved) => {
      const looker = new Looker(db, clock, () => {
        heard(['*'])
      })
      proved(true)
      return Promise.resolve(() => {
        looker.stop()
        return Promise.resolve()
      })
    },
    notify: () => Promise.resolve(),
  }
}

/** Looks when the write-ahead log has grown, and now and then besides. */
class Looker {
  private readonly pragma: Statement<[], { data_version: number }>
  private readonly log: FSWatcher | undefined
  private version: number | undefined
  private again = LOOK_AGAIN_MS.length
  private cancel: Cancel = () => undefined

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {
    this.pragma = db.prepare('pragma data_version')
    this.version = this.pragma.get()?.data_version
    this.log = this.followLog()
    this.schedule()
  }

  stop(): void {
    this.cancel()
    this.log?.close()
  }

  /** Undefined where the operating system follows no files, or no more of them. */
  private followLog(): FSWatcher | undefined {
    try {
      const log = watchFile(`${this.db.name}-wal`, { persistent: false }, () => {
        this.grown()
      })
      log.on('error', () => undefined)
      return log
    } catch {
      return undefined
    }
  }

  // Growth of this process's own making comes here too; where looks are under way already, it costs nothing.
  private grown(): void {
    const resting = this.again >= LOOK_AGAIN_MS.length
    this.again = 0
    if (!resting) return
    this.cancel()
    this.schedule()
  }

  private schedule(): void {
    const ms = LOOK_AGAIN_MS[this.again++] ?? (this.log === undefined ? LOOK_EVERY_MS : LOOK_ANYWAY_MS)
    this.cancel = this.clock.after(
      ms,
      () => {
        this.look()
      },
      { background: true },
    )
  }

  private look(): void {
    if (!this.db.open) return
    const now = this.pragma.get()?.data_version
    if (now !== this.version) {
      this.version = now
      this.changed()
    }
    this.schedule()
  }
}
