import {
  check,
  historyOf,
  invariants,
  ReportSum,
  type Facts,
  type FinalRow,
  type HistoryEvent,
} from '@pgqrs/checker'
import { EPOCH_MS } from './life.js'
import type { Recorder } from './recorder.js'
import type { Remains } from './remains.js'
import type { Action, Fault, Profile, Schedule } from './schedule.js'
import { JOB_ATTEMPTS, JOB_BACKOFF_MS, MAX_CRASHES, RUN_ATTEMPTS, STEP_ATTEMPTS } from './workload.js'

/** What the simulator gives the invariants nothing to look at, and why. */
const inapplicable: Readonly<Record<string, string>> = {
  S4: 'time is virtual: the simulator itself sees to it that every call of a living process has ended',
  S6: 'there is no secret in memory',
  S7: 'there is one store',
  S7L: 'no lists are appended to',
}

/** The simulator waits for the end of everything by itself, and its workers may have nothing left to do when faults end. */
const OWN_CHECK = 'Q20'
/** They measure by the clock of the host, and the database's has been set forward. */
const BY_HOST_TIME = ['Q12', 'W8']
/** A handler that ignores its signal is left behind when its worker stops, and is at work when its lease is ended. */
const HANDLERS_STOP = 'Q7'

/** A sum of what the invariants look at over many schedules: none of them may have looked at nothing. */
export function emptySum(seed: number): ReportSum {
  return new ReportSum(factsOf({ seed, leaseMs: 0 }, []), { inapplicable, keep: 1 })
}

/** What is left behind besides rows. */
export interface Leftover {
  readonly timers: number
  readonly uncaught: readonly string[]
  readonly openTransactions: number
  /** What the database's own check found; undefined: it was not asked. */
  readonly problems: readonly string[] | undefined
}

/** Everything that was seen of a schedule, with what is in the database in the end: what the checker reads. */
export function wholeHistory(
  recorder: Recorder,
  { profile, faults }: Schedule,
  remains: Remains,
  { timers, uncaught, openTransactions, problems }: Leftover,
): HistoryEvent[] {
  const seen = recorder.seen('sim')
  const leases = [...remains.messages.values()].filter(({ status }) => isHeld(status)).length
  return [
    { ...factsOf(profile, faults), ...recorder.seen('sim') },
    { ...seen, mono: 0, kind: 'system', what: 'watched' },
    { ...seen, mono: 0, kind: 'system', what: 'resources', when: 'before', counts: { timers: 0 } },
    ...recorder.history,
    { ...seen, kind: 'mark', what: 'quiet' },
    { ...seen, kind: 'system', what: 'resources', when: 'after', counts: { timers } },
    ...uncaught.map((message): HistoryEvent => ({ ...seen, kind: 'system', what: 'uncaught', message })),
    ...(problems === undefined
      ? []
      : [{ ...seen, kind: 'system', what: 'integrity', check: 'quick_check', problems } as const]),
    { ...seen, kind: 'system', what: 'leftovers', leases, openTransactions, advisoryLocks: 0 },
    ...rowsOf(remains).map((row): HistoryEvent => ({ ...seen, kind: 'row', ...row })),
  ]
}

function factsOf({ seed, leaseMs }: Pick<Profile, 'seed' | 'leaseMs'>, faults: readonly Fault[]): Facts {
  return {
    process: 'sim',
    mono: 0,
    wall: EPOCH_MS,
    kind: 'facts',
    store: 'sqlite',
    load: 'simulation',
    seed,
    faults: [...new Set(faults.map(({ kind }) => kind))],
    leaseMs,
    graceMs: 1000,
    pollMs: 1000,
    epochMs: EPOCH_MS,
    slackMs: 0,
    queues: {
      jobs: {
        kind: 'queue',
        maxAttempts: JOB_ATTEMPTS,
        maxCrashes: MAX_CRASHES,
        minBackoffMs: JOB_BACKOFF_MS,
      },
      parcels: { kind: 'queue', maxAttempts: 5, maxCrashes: MAX_CRASHES },
      flow: {
        kind: 'workflow',
        maxAttempts: RUN_ATTEMPTS,
        maxCrashes: MAX_CRASHES,
        minBackoffMs: JOB_BACKOFF_MS,
        stepAttempts: STEP_ATTEMPTS,
      },
    },
  }
}

/** What the checker's invariants say of a history: one line for each that is violated. */
export function checked(history: readonly HistoryEvent[], { commands }: Schedule, sum?: ReportSum): string[] {
  const did = (what: Action['do']): boolean => commands.some(({ action }) => action.do === what)
  const left = [OWN_CHECK, ...(did('jump') ? BY_HOST_TIME : []), ...(did('stop') ? [HANDLERS_STOP] : [])]
  const only = invariants.map(({ id }) => id).filter((id) => !left.includes(id))
  const report = check(historyOf(history), { only, keep: 1 })
  sum?.add(report)
  return report.verdicts
    .filter(({ violated }) => violated > 0)
    .map(({ id, sentence, violations }) => `${id} ${sentence}: ${violations[0]?.says ?? ''}`)
}

function isHeld(status: string): boolean {
  return status === 'running' || status === 'cancelling'
}

type Unseen<Row> = Row extends FinalRow ? Omit<Row, 'kind' | 'process' | 'mono' | 'wall'> : never

function rowsOf({ messages, checkpoints, workers, tallies, witnesses }: Remains): Unseen<FinalRow>[] {
  return [
    ...[...messages].map(([id, state]) => ({ table: 'messages' as const, id, ...state })),
    ...[...checkpoints.values()].map((checkpoint) => ({ table: 'steps' as const, ...checkpoint })),
    ...workers.map(({ id, status, heartbeat_at }) => ({
      table: 'workers' as const,
      id,
      status,
      heartbeatAt: heartbeat_at,
      held: 0,
    })),
    ...tallies.map(({ queue, status, n }) => ({ table: 'tallies' as const, queue, status, n })),
    ...witnesses.map(({ run, step, witness, value }) => ({
      table: 'witnesses' as const,
      ...(run === null ? {} : { run }),
      ...(step === null ? {} : { step }),
      ...(witness === null ? {} : { witness }),
      ...(value === null ? {} : { value: JSON.stringify(value) }),
    })),
  ]
}
