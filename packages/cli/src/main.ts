#!/usr/bin/env node
import { run } from './index.js'

// Where the system allows it, this also takes a --dsn out of the list of processes.
process.title = 'pgqrs'

// Whoever reads has seen enough (`| head`): that is no error, and what is written from then on is for nobody.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(process.argv.slice(2), process)
