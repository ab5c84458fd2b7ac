// What `npm test`, `npm run demo` and the other commands of the root call. Plain Node without dependencies: on a fresh clone there is nothing else.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`pgqrs needs Node 20.19 or newer; this is ${process.versions.node} (${process.execPath}).`)
  process.exit(1)
}

// Imported only now, so that an old Node gets the sentence above and not a syntax error.
const { installIfNeeded } = await import('./install.mjs')
const { whenInterrupted } = await import('./processes.mjs')

const tasks = {
  async gate(args) {
    const { gate } = await import('./gate.mjs')
    return gate(args)
  },
  demo: (args) => program('demo', args),
  chaos: (args) => program('chaos', args),
  simulate: (args) => program('simulator', args),
  async bench(args) {
    // What users run is measured, so it is built first.
    const { gate } = await import('./gate.mjs')
    return (await gate(['--only', 'build'])) || program('bench', args, true)
  },
}

/** Runs a program of tooling as if it had been called itself. */
async function program(folder, args, built = false) {
  const programs = await import('./programs.mjs')
  const flags = built ? [] : programs.fromSources
  const { code } = await programs.program(folder, args, flags, { stdin: 'inherit', cwd: process.cwd() })
  return code
}

const [name = '', ...args] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
if (task === undefined) {
  console.error(`Usage: node tooling/gate/bootstrap.mjs <${Object.keys(tasks).join('|')}> [args…]`)
  process.exit(2)
}

const installed = await installIfNeeded()
if (!installed && name === 'gate') console.log('0 passed, 1 failed')
const code = installed ? await task(args) : 1
process.exitCode = whenInterrupted() ?? code
