/** A grant, as the seeded randomness draws them: UUIDs of version 4. */
export function isLease(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && value[14] === '4'
}

/** A message, run or worker: UUIDs of version 7. */
export function isWorker(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && value[14] === '7'
}
