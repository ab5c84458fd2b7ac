import type { CheckpointTransition } from '../history.js'
import type { Findings, Invariant } from '../invariant.js'
import type { Ledger } from '../ledger.js'
import type { RowOf } from '../rows.js'
import { sameValue } from '../values.js'

/** What is known of one transactional step: what it wrote for the user, and what was recorded. */
interface Effect {
  readonly witnesses: RowOf<'witnesses'>[]
  recorded: CheckpointTransition | RowOf<'steps'> | undefined
  output: string | null
}

function effectsAndCheckpointsAreOne(ledger: Ledger, findings: Findings): void {
  for (const [run, effects] of effectsByRun(ledger)) {
    for (const [step, { witnesses, recorded, output }] of effects) {
      findings.looked()
      const about = { id: run, step }
      const evidence = [recorded, ...witnesses]
      const [first] = witnesses
      if (witnesses.length > 1) {
        findings.violation(`a transactional step took effect ${witnesses.length} times`, about, evidence)
      } else if (first === undefined) {
        findings.violation('a transactional step is recorded, but its writes are not there', about, evidence)
      } else if (recorded === undefined) {
        findings.violation(
          'the writes of a transactional step are there, but it is not recorded',
          about,
          evidence,
        )
      } else if (first.value !== undefined && !sameValue(first.value, output)) {
        findings.violation('the writes are of one attempt, the recorded value of another', about, evidence)
      }
    }
  }
  balancesFollow(ledger, findings)
  for (const snapshot of ledger.snapshots) {
    if (snapshot.witnesses === undefined) continue
    findings.looked()
    const { rows, checkpoints } = snapshot.witnesses
    if (rows === checkpoints) continue
    findings.violation(`${rows} effects and ${checkpoints} checkpoints in one snapshot`, {}, [snapshot])
  }
}

function effectsByRun(ledger: Ledger): Map<string, Map<string, Effect>> {
  const runs = new Map<string, Map<string, Effect>>()
  const effectOf = (run: string, step: string): Effect => {
    const effects = runs.get(run) ?? new Map<string, Effect>()
    runs.set(run, effects)
    const effect = effects.get(step) ?? { witnesses: [], recorded: undefined, output: null }
    effects.set(step, effect)
    return effect
  }
  for (const change of ledger.changes) {
    if (change.kind !== 'checkpoint' || change.after?.of !== 'transaction') continue
    if (change.after.status !== 'success') continue
    const effect = effectOf(change.run, change.step)
    effect.recorded = change
    effect.output = change.after.output
  }
  for (const row of ledger.table('steps')) {
    if (row.of !== 'transaction' || row.status !== 'success') continue
    const effect = effectOf(row.run, row.step)
    effect.recorded ??= row
    effect.output = row.output
  }
  for (const row of ledger.table('witnesses')) {
    if (row.run !== undefined && row.step !== undefined) effectOf(row.run, row.step).witnesses.push(row)
  }
  return runs
}

/** Each account holds what it held at first and what the witnesses moved: an effect without a witness shows here. */
function balancesFollow(ledger: Ledger, findings: Findings): void {
  const { accounts } = ledger.facts
  if (accounts === undefined) return
  const rows = ledger.table('accounts')
  if (rows.length === 0) return
  const expected = new Map(Object.entries(accounts))
  const move = (account: string | undefined, amount: number): void => {
    if (account !== undefined) expected.set(account, (expected.get(account) ?? 0) + amount)
  }
  for (const { from, to, amount = 0 } of ledger.table('witnesses')) {
    move(from, -amount)
    move(to, amount)
  }
  for (const row of rows) {
    findings.looked()
    const balance = expected.get(row.account) ?? 0
    if (row.balance === balance) continue
    const says = `account ${row.account} holds ${row.balance}, its transfers make ${balance}`
    findings.violation(says, { account: row.account }, [row])
  }
}

/** W5: exactly once. */
export const transactions: readonly Invariant[] = [
  {
    id: 'W5',
    sentence: 'A transactional step takes effect exactly once, with its checkpoint',
    check: effectsAndCheckpointsAreOne,
  },
]
