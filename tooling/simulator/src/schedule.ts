import fc from 'fast-check'

/** What a queue's handler does with a message; written into its payload, so that every process does the same. */
export type Act =
  | { readonly do: 'return' | 'fail' | 'terminal' | 'snooze' }
  | { readonly do: 'slow'; readonly ms: number }
  /** Fails so many times before it returns. */
  | { readonly do: 'flaky'; readonly times: number }
  /** Enqueues another message. */
  | { readonly do: 'spawn' }

/** One boundary of a run, or some of them. */
export type Part =
  | { readonly do: 'step'; readonly ms: number; readonly fails: number }
  | { readonly do: 'transaction' }
  | { readonly do: 'pause'; readonly timeoutMs: number | null }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'map' | 'parallel'; readonly items: number }

/** What a process is told to do. `target` picks one of the messages that were asked for so far. */
export type Action =
  | { readonly do: 'enqueue'; readonly act: Act; readonly delayMs: number; readonly key: number | null }
  | { readonly do: 'enqueue-many'; readonly count: number; readonly reject: boolean }
  | { readonly do: 'enqueue-in-transaction'; readonly commit: boolean }
  | {
      readonly do: 'trigger'
      readonly parts: readonly Part[]
      readonly throws: boolean
      readonly key: number | null
    }
  | { readonly do: 'cancel' | 'resume' | 'repeat' | 'replay'; readonly target: number }
  | {
      readonly do: 'by-hand'
      readonly ending: 'archive' | 'delete' | 'release' | 'fail' | 'extend' | 'forget'
      readonly holdMs: number
    }
  | { readonly do: 'stop' | 'crash' | 'jump' }
  | { readonly do: 'freeze'; readonly ms: number }

/** An action, by which process, and how long after the one before. */
export interface Command {
  readonly waitMs: number
  readonly process: number
  readonly action: Action
}

export const faultKinds = [
  'lose-answer',
  'lose-call',
  'refuse',
  'busy',
  'late',
  'stall-call',
  'stall-answer',
  'crash-before',
  'crash-sent',
  'crash-executed',
  'freeze-before',
  'freeze-sent',
  'freeze-executed',
  'cut',
] as const

/** What befalls one call of the schedule. */
export interface Fault {
  /** Counts calls that change a message or a run, or all of them: most are looks of idle workers. */
  readonly on: 'write' | 'call'
  /** Which one, from 0. */
  readonly at: number
  readonly kind: (typeof faultKinds)[number]
  readonly ms: number
}

/** What stays the same over one schedule. */
export interface Profile {
  /** Decides latencies and the order of what happens at the same time. */
  readonly seed: number
  readonly workers: number
  readonly concurrency: number
  /** One flush at a time, as on SQLite; otherwise three, as on Postgres. */
  readonly oneWriter: boolean
  /** Hints between processes: some of them are lost. */
  readonly hints: boolean
  readonly latency: 0 | 1 | 2
  readonly leaseMs: number
  readonly patienceMs: number
  readonly clock: 'database' | 'host'
  /** Whether idle processes look as often as they would, or only when there may be something new to find. */
  readonly looks: 'all' | 'useful'
}

/** Everything that makes one run: the same schedule gives the same run, event by event. */
export interface Schedule {
  readonly profile: Profile
  readonly commands: readonly Command[]
  readonly faults: readonly Fault[]
}

const ms = (most: number): fc.Arbitrary<number> => fc.nat(most)
const maybeKey = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.nat(2))

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'return' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slow' as const), ms: ms(4000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('flaky' as const), times: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'terminal', 'snooze') }) },
  { weight: 1, arbitrary: fc.constant({ do: 'spawn' as const }) },
)

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('step' as const), ms: ms(700), fails: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'transaction' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: ms(2500) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pause' as const), timeoutMs: fc.option(ms(1500)) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('map' as const, 'parallel'),
      items: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('enqueue' as const), act, delayMs: ms(1000), key: maybeKey }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('trigger' as const),
      parts: fc.array(part, { minLength: 1, maxLength: 4 }),
      throws: fc.nat(5).map((n) => n === 5),
      key: maybeKey,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('enqueue-many' as const),
      count: fc.integer({ min: 2, max: 4 }),
      reject: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('enqueue-in-transaction' as const), commit: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel' as const, 'resume', 'repeat', 'replay'),
      target: fc.nat(9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('by-hand' as const),
      ending: fc.constantFrom('archive' as const, 'delete', 'release', 'fail', 'extend', 'forget'),
      holdMs: ms(2000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'crash', 'jump') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('freeze' as const), ms: ms(4000) }) },
)

const profile: fc.Arbitrary<Profile> = fc.record({
  seed: fc.nat(),
  workers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(1, 2, 5),
  oneWriter: fc.boolean(),
  hints: fc.boolean(),
  latency: fc.constantFrom(0 as const, 1, 2),
  leaseMs: fc.constantFrom(1500, 3000),
  patienceMs: fc.constantFrom(10_000, 500),
  clock: fc.constantFrom('database' as const, 'host'),
  looks: fc.nat(7).map((n) => (n === 7 ? ('all' as const) : ('useful' as const))),
})

const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      on: fc.constant('write' as const),
      at: fc.nat(30),
      kind: fc.constantFrom(...faultKinds),
      ms: ms(5000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      on: fc.constant('call' as const),
      at: fc.nat(90),
      kind: fc.constantFrom(...faultKinds),
      ms: ms(5000),
    }),
  },
)

/** Schedules as fast-check draws and shrinks them: towards fewer commands, fewer faults, shorter waits. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  profile,
  commands: fc.array(fc.record({ waitMs: ms(250), process: fc.nat(3), action }), {
    minLength: 2,
    maxLength: 14,
    size: 'max',
  }),
  faults: fc.array(fault, { maxLength: 8, size: 'max' }),
})
