// What `npm test` and `npm run demo` call. Plain Node without dependencies: on a fresh clone there is nothing else.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`pgqrs needs Node 20.19 or newer; this is ${process.versions.node} (${process.execPath}).`)
  process.exit(1)
}

// Imported only now, so that an old Node gets the sentence above and not a syntax error.
const { installIfNeeded } = await import('./install.mjs')
const { run, whenInterrupted } = await import('./processes.mjs')

const tasks = {
  async gate(args) {
    const { gate } = await import('./gate.mjs')
    return gate(args)
  },
  async demo(args) {
    // tsx runs inside this one process, so a signal reaches the demo itself and its exit code is ours.
    const tsx = import.meta.resolve('tsx')
    const main = new URL('../demo/src/main.ts', import.meta.url).pathname
    const flags = ['--conditions=@pgqrs/source', '--import', tsx]
    const { code } = await run(process.execPath, [...flags, main, ...args], {
      stdin: 'inherit',
      cwd: process.cwd(),
    })
    return code
  },
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
