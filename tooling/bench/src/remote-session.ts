import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Activities } from './activities.js'
import type { BenchDatabase, SessionOptions, System } from './system.js'
import { Turns } from './turns.js'

// What takes longest is the recovery of a run: half a minute at one of the rivals. A child whose event loop stands still
// for this long would take up the time of all the others.
const ANSWER_MS = 45_000
// By how much the answer to a wait with an end of its own may be late.
const LATE_MS = 6000

/** What the parent asks a child to open. */
export interface Opening {
  readonly system: string
  readonly configuration: System['configuration']
  readonly database: BenchDatabase
  readonly options: SessionOptions
}

/** What the parent asks a child to put into a database. */
export interface Preparation {
  readonly system: string
  readonly configuration: System['configuration']
  readonly database: BenchDatabase
  /** How many messages shall wait there. */
  readonly backlog: number
}

/** One call from the parent to the child. */
export type Request =
  | { readonly id: number; readonly call: 'open'; readonly opening: Opening }
  | { readonly id: number; readonly call: 'prepare'; readonly preparation: Preparation }
  | { readonly id: number; readonly call: keyof Activities; readonly args: unknown[] }

/** The child's answer. */
export type Answer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: Error }

type Method<Name extends keyof Activities> = Activities[Name] extends (...args: infer Args) => infer Result
  ? (...args: Args) => Promise<Awaited<Result>>
  : never

interface Pending {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

/** Processes that start take a whole core each. */
const starting = new Turns(2)

const file = fileURLToPath(new URL('session-process.ts', import.meta.url))

/** A session in a child process of its own. */
export class RemoteSession {
  private readonly pending = new Map<number, Pending>()
  private last = 0
  private printed = ''
  private closing = false

  private constructor(
    private readonly child: ChildProcess,
    private readonly who: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.printed = (this.printed + text).slice(-4000)
      })
    }
    child.on('message', (answer: Answer) => {
      const pending = this.pending.get(answer.id)
      this.pending.delete(answer.id)
      if ('error' in answer) pending?.reject(answer.error)
      else pending?.resolve(answer.value)
    })
    child.on('exit', (code, signal) => {
      const error = new Error(`the process of ${who} ended (${signal ?? code})${this.output()}`)
      for (const { reject } of this.pending.values()) reject(error)
      this.pending.clear()
    })
  }

  /**
   * Starts a process and opens the system in it.
   * @throws {Error} what the system says when it cannot be opened.
   */
  static async open(opening: Opening): Promise<RemoteSession> {
    return starting.take(async () => {
      const session = RemoteSession.start(opening)
      try {
        await session.within(30_000, 'open', (id) => ({ id, call: 'open', opening }))
      } catch (error) {
        await session.kill()
        throw error
      }
      return session
    })
  }

  /**
   * Installs a system in an empty database and puts a backlog there, in a process that ends with it.
   * @throws {Error} what the system says when it cannot be done.
   */
  static async prepare(preparation: Preparation): Promise<void> {
    const session = RemoteSession.start(preparation)
    try {
      await session.within(ANSWER_MS, 'prepare', (id) => ({ id, call: 'prepare', preparation }))
    } finally {
      await session.kill()
    }
  }

  private static start({ system, configuration }: Pick<Opening, 'system' | 'configuration'>): RemoteSession {
    const child = fork(file, [], {
      execArgv: ['--expose-gc', '--import', import.meta.resolve('tsx')],
      env: cleanEnvironment(),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    return new RemoteSession(child, `${system} (${configuration})`)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /**
   * Calls an activity of the child.
   * @throws {Error} what the activity throws, or when the child ends or does not answer in time.
   */
  async call<Name extends keyof Activities>(
    name: Name,
    ...args: Parameters<Method<Name>>
  ): Promise<Awaited<ReturnType<Method<Name>>>> {
    const values: readonly unknown[] = args
    const capMs = name === 'untilStarted' ? Number(values[1]) + LATE_MS : ANSWER_MS
    const value = await this.within(capMs, name, (id) => ({ id, call: name, args }))
    // The child runs the very method whose type this is.
    return value as Awaited<ReturnType<Method<Name>>>
  }

  /** Closes the session and ends the process, by force when it does not end by itself. */
  async close(): Promise<void> {
    this.closing = true
    if (this.ended) return
    await this.within(10_000, 'close', (id) => ({ id, call: 'close', args: [] })).catch(() => undefined)
    await this.kill()
  }

  /** Ends the process by SIGKILL. */
  async kill(): Promise<void> {
    this.closing = true
    if (this.ended) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }

  /** Whether it was closed or killed from here; a process that ended by itself was not. */
  get closed(): boolean {
    return this.closing
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** What it printed, the line with the error first. */
  private output(): string {
    const error = this.printed.split('\n').find((line) => /error/i.test(line))
    return this.printed === '' ? '' : `: ${error?.trim() ?? ''}\n${this.printed}`
  }

  private within(ms: number, name: string, request: (id: number) => Request): Promise<unknown> {
    if (this.ended) return Promise.reject(new Error(`the process of ${this.who} has ended`))
    const id = ++this.last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id)
        reject(new Error(`${this.who} did not finish ${name} in ${ms / 1000} s${this.output()}`))
      }, ms)
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          then(value)
        }
      this.pending.set(id, { resolve: settle(resolve), reject: settle(reject) })
      this.child.send(request(id))
    })
  }
}

/** The environment without what would configure a system behind the bench's back. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(PGQRS_|DATABASE_URL$|NODE_OPTIONS$|PG[A-Z]+$|DBOS_|GRAPHILE_)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}
