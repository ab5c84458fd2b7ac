import {
  toWireError,
  type Batch,
  type Condition,
  type Statement,
  type StatementResult,
  type WireError,
} from './hrana-protocol.js'

/** What became of a batch: for each step a result, an error, or neither when its condition did not hold. */
export interface BatchResult {
  step_results: (StatementResult | null)[]
  step_errors: (WireError | null)[]
}

/** Runs the steps of a batch in order, each if its condition holds. */
export async function runBatch(
  batch: Batch,
  execute: (stmt: Statement) => Promise<StatementResult>,
  inTransaction: () => boolean,
): Promise<BatchResult> {
  const results: (StatementResult | null)[] = []
  const errors: (WireError | null)[] = []

  function holds(condition: Condition): boolean {
    switch (condition.type) {
      case 'ok':
        return results[condition.step] != null
      case 'error':
        return errors[condition.step] != null
      case 'not':
        return !holds(condition.cond)
      case 'and':
        return condition.conds.every(holds)
      case 'or':
        return condition.conds.some(holds)
      case 'is_autocommit':
        return !inTransaction()
    }
  }

  for (const [index, { stmt, condition }] of batch.steps.entries()) {
    results[index] = null
    errors[index] = null
    if (condition && !holds(condition)) continue
    try {
      results[index] = await execute(stmt)
    } catch (error) {
      errors[index] = toWireError(error)
    }
  }
  return { step_results: results, step_errors: errors }
}
