import { Life } from './src/life.js'
import { Simulator } from './src/simulate.js'
const proto = Life.prototype as any
const orig = proto.after
const stacks = new Map<object, string>()
proto.after = function (ms: number, cb: () => void) {
  const key = {}
  stacks.set(key, `${this.name} at ${this.timeline.now} for ${ms}: ` + new Error().stack!.split('\n').slice(3, 10).join('\n'))
  const cancel = orig.call(this, ms, () => { stacks.delete(key); cb() })
  return () => { stacks.delete(key); cancel() }
}
const s = JSON.parse((await import("node:fs")).readFileSync(process.argv[2]!, "utf8"))
const sim = await Simulator.open()
const o = await sim.run(s, { trace: true })
console.log(o.violations)
for (const x of stacks.values()) console.log(x)
console.log(o.trace.slice(-40).join("\n"))
