import type { BoundaryPassed } from '../history.js'
import { ClockOffsets } from '../clock-offsets.js'
import { grouped } from '../grouped.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { Call, MessageRecord } from '../message-record.js'
import { sameValue } from '../values.js'

const ROUNDING_MS = 1

function replaysTakeTheSamePath(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    if (record.rewound) continue
    const path = new Map<string, BoundaryPassed>()
    for (const boundary of record.boundaries) {
      findings.looked()
      const at = `${boundary.scope}\0${boundary.index}`
      const first = path.get(at)
      if (first === undefined) path.set(at, boundary)
      else if (first.step !== boundary.step || first.of !== boundary.of) {
        const says = `boundary ${boundary.index} of ${boundary.scope === '' ? 'the run' : boundary.scope} was ${first.step}, and ${boundary.step} in a replay`
        findings.violation(says, { id: record.id }, [first, boundary])
      }
    }
  }
}

function stepsWaitForTheOneBefore(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    if (record.rewound || (record.checkpoints.length === 0 && record.transitions.length === 0)) continue
    for (const start of record.starts) {
      const { after } = start
      if (after === undefined) continue
      findings.looked()
      const recorded = record
        .checkpointsOf(after)
        .find((change) => change.after !== null && change.after.status !== 'retrying')
      if (recorded !== undefined && recorded.mono <= start.mono + ledger.slackMs) continue
      const about = { id: record.id, step: start.step ?? '' }
      const says = `${start.step ?? ''} began before the result of ${after} was recorded`
      findings.violation(says, about, [start, recorded])
    }
  }
}

function timersFireOnceWhenDue(ledger: Ledger, findings: Findings): void {
  const offsets = new ClockOffsets(ledger.changes, ledger.facts.epochMs)
  for (const record of ledger.messages.values()) {
    if (record.rewound) continue
    for (const boundary of record.boundaries) {
      // A sleep that throws has not run out: the run was asked to cancel.
      if (boundary.of !== 'sleep' || boundary.how !== 'returned') continue
      findings.looked()
      const about = { id: record.id, step: boundary.step }
      const recorded = record
        .checkpointsOf(boundary.step)
        .filter(({ before, after }) => before === null && after?.of === 'sleep')
      if (recorded.length > 1) findings.violation('a timer was set twice', about, recorded)
      const [set] = recorded
      const row = record.steps.find(({ step }) => step === boundary.step)
      const wakeAt = set?.after?.wakeAt ?? row?.wakeAt ?? undefined
      const tolerance = ledger.slackMs + ROUNDING_MS
      const early = wakeAt === undefined ? 0 : wakeAt - offsets.atMost(boundary.mono) - boundary.mono
      if (early > tolerance) {
        findings.violation(`a timer fired ${Math.round(early)} ms early`, about, [set ?? row, boundary])
      }
      if (boundary.sleep === undefined) continue
      const { ms, reachedMono } = boundary.sleep
      // The pass that set it may have died without a word; it has begun, though, before it slept.
      const pass = record.starts.find((start) => start.of === 'run' && start.lease === set?.runLease)
      if (set !== undefined && wakeAt !== undefined && pass !== undefined) {
        const spanMs = wakeAt - set.dbAt + set.mono - pass.mono
        const says = `a sleep of ${ms} ms was set to end ${Math.round(spanMs)} ms after its pass had begun`
        if (spanMs + tolerance < ms) findings.violation(says, about, [pass, set, boundary])
      }
      if (set?.runLease === boundary.lease && boundary.mono - reachedMono + tolerance < ms) {
        const says = `a sleep of ${ms} ms took ${Math.round(boundary.mono - reachedMono)} ms`
        findings.violation(says, about, [set, boundary])
      }
    }
  }
}

/** The payload alone, also when the value of the pause was noted as the code got it: `{ resumed, value }`. */
function payloadOf({ value }: BoundaryPassed): string | undefined {
  const resumed = /^\{"resumed":(?:false\}|true,"value":(.*)\})$/s.exec(value ?? '')
  return resumed === null ? value : resumed[1]
}

type Signal = Call & {
  readonly invoked: { readonly name: 'signal'; readonly step: string; readonly payload: string }
}

function isSignal(call: Call): call is Signal {
  return call.invoked.name === 'signal'
}

function signalsAreTakenOnce(ledger: Ledger, findings: Findings): void {
  for (const record of ledger.messages.values()) {
    const signals = record.calls.filter(isSignal)
    const passed = record.boundaries.filter(
      (boundary) => boundary.of === 'pause' && boundary.how === 'returned',
    )
    findings.looked(signals.length)
    for (const boundary of passed) {
      if (payloadOf(boundary) === undefined) continue
      findings.looked()
      const sent = signals.some(
        ({ invoked, outcome, settled }) =>
          invoked.step === boundary.step &&
          outcome !== 'fail' &&
          settled?.value?.taken !== false &&
          sameValue(invoked.payload, payloadOf(boundary)),
      )
      if (sent) continue
      const says = `a pause was given ${boundary.value}, which no signal that was taken has brought`
      findings.violation(says, { id: record.id, step: boundary.step }, [boundary])
    }
    const taken = signals.filter(({ outcome, settled }) => outcome === 'ok' && settled?.value?.taken === true)
    for (const [step, calls] of grouped(taken, ({ invoked }) => invoked.step)) {
      takenSignalsArrive(record, step, calls, passed, findings)
    }
  }
}

function takenSignalsArrive(
  record: MessageRecord,
  step: string,
  taken: readonly Signal[],
  passed: readonly BoundaryPassed[],
  findings: Findings,
): void {
  const about = { id: record.id, step }
  const [signal] = taken
  if (signal === undefined) return
  if (taken.length > 1) {
    findings.violation(
      `${taken.length} signals were taken for one pause`,
      about,
      taken.map((call) => call.settled),
    )
    return
  }
  const boundary = passed.find((one) => one.step === step)
  const ended = record.finalState?.status === 'success' && passed.length + record.boundaries.length > 0
  if (boundary === undefined ? !ended : sameValue(payloadOf(boundary), signal.invoked.payload)) return
  findings.violation('a signal that was taken did not arrive', about, [
    signal.invoked,
    signal.settled,
    boundary,
    record.row,
  ])
}

/** W6 to W9: what the code of a run goes by, and when. */
export const replay: readonly Invariant[] = [
  { id: 'W6', sentence: 'A replay takes the same path', check: replaysTakeTheSamePath },
  {
    id: 'W7',
    sentence: 'A step begins after the one before it is recorded',
    check: stepsWaitForTheOneBefore,
  },
  { id: 'W8', sentence: 'A timer fires once, and not before it is due', check: timersFireOnceWhenDue },
  { id: 'W9', sentence: 'A signal that was taken arrives, once', check: signalsAreTakenOnce },
]
