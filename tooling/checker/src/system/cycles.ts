/** For each node the nodes that come after it. */
export type Graph = readonly Set<number>[]

/** A circle in the graph, or undefined. Takes time in proportion to its edges. */
export function cycleOf(graph: Graph): number[] | undefined {
  const before = graph.map(() => 0)
  for (const after of graph) for (const node of after) before[node] = (before[node] ?? 0) + 1
  const open = before.flatMap((count, node) => (count === 0 ? [node] : []))
  let placed = 0
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    placed++
    for (const next of graph[node] ?? []) {
      const left = (before[next] ?? 0) - 1
      before[next] = left
      if (left === 0) open.push(next)
    }
  }
  return placed === graph.length ? undefined : circleAmong(graph, before)
}

/** Every node that is left comes after another one that is left: going back from it must lead round. */
function circleAmong(graph: Graph, before: readonly number[]): number[] {
  const cameFrom = new Map<number, number>()
  graph.forEach((after, node) => {
    if ((before[node] ?? 0) === 0) return
    for (const next of after) cameFrom.set(next, node)
  })
  const path: number[] = []
  const seen = new Map<number, number>()
  let node = before.findIndex((count) => count > 0)
  while (!seen.has(node)) {
    seen.set(node, path.length)
    path.push(node)
    node = cameFrom.get(node) ?? node
  }
  return path.slice(seen.get(node)).reverse()
}
