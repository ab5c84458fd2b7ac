/** Starts a child of its own, stops it with SIGSTOP, and waits to be killed. */
import { fileURLToPath } from 'node:url'
import { spawnChild } from '../../src/index.js'

const child = await spawnChild(fileURLToPath(new URL('./counter.ts', import.meta.url)))
await child.waitFor('ready')
child.kill('SIGSTOP')
console.log(`stopped ${child.pid}`)
setInterval(() => {}, 1000)
