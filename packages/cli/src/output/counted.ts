/** A number with what it counts: `1 message`, `2 messages`. */
export function counted(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? '' : 's'}`
}
