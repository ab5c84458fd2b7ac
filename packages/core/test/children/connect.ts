import { connect, type ConnectOptions } from '../../src/index.js'

// Connects to each target it is given and prints what came of it, one line of JSON for each.
for (const argument of process.argv.slice(2)) {
  const target = JSON.parse(argument) as string | ConnectOptions | null
  try {
    const store = await connect(target ?? undefined)
    console.log(JSON.stringify({ options: (store as unknown as { options: unknown }).options }))
  } catch (error) {
    const { name, code, message, stack } = error as Error & { code?: unknown }
    console.log(JSON.stringify({ name, code, message, stack }))
  }
}
