// Begins to install and dies when the driver comes to one of the statements.
import type { Driver, Statement } from '@pgqrs/core/driver'
import { transitionOf } from '../crash-points.js'
import { interpose } from '../interpose.js'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, at } = childSetup<{ at: number }>()

/** A statement that ends the process of whoever reads it to send it. */
const deadly: Statement = {
  get sql(): string {
    process.kill(process.pid, 'SIGKILL')
    return ''
  },
  parameters: [],
  reads: false,
}

const store = await connectTo(driver, {
  dsn,
  wrapDriver: (own: Driver) =>
    interpose(own, {
      execute: (statements) => {
        const installs = statements.some((statement) => transitionOf(statement) === 'install')
        return own.execute(
          installs ? statements.with(Math.min(at, statements.length - 1), deadly) : statements,
        )
      },
    }),
})
await store.admin.install()
tell('installed')
