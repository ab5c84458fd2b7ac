import type { History } from '@pgqrs/checker'

/** What was done in a run, and to it, in lines: calls, claims and bodies, and each fault with how often it struck. */
export function injected({ events, facts }: History): string[] {
  const struck = new Map(facts.faults.map((name) => [name, 0]))
  let calls = 0
  let claims = 0
  let handedOver = 0
  let bodies = 0
  for (const event of events) {
    if (event.kind === 'invoke') calls++
    else if (event.kind === 'started') bodies++
    else if (event.kind === 'message' && event.after !== null) {
      claims += event.after.claims - (event.before?.claims ?? 0)
      if (event.before === null) handedOver += event.after.claims
    } else if (event.kind === 'mark' && event.what === 'fault' && event.target === undefined) {
      const name = event.detail ?? ''
      struck.set(name, (struck.get(name) ?? 0) + 1)
    }
  }
  const done = [...struck].filter(([, times]) => times > 0)
  const total = done.reduce((sum, [, times]) => sum + times, 0)
  const idle = [...struck.keys()].filter((name) => struck.get(name) === 0)
  return [
    `operations: ${calls} calls, ${claims} claims, ${handedOver} of them with the insert, ${bodies} bodies`,
    `faults injected: ${total}${total === 0 ? '' : ` (${done.map(([name, times]) => `${name} ${times}`).join(', ')})`}`,
    ...(idle.length === 0 ? [] : [`faults that had no turn in this time: ${idle.join(', ')}`]),
  ]
}
