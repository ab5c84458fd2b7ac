/**
 * The `pgqrs` command as a function, for tests and for tools that bring it along.
 * @packageDocumentation
 */
export { exitCodes, type ExitCode } from './exit-codes.js'
export type { InputStream, Io, OutputStream } from './io.js'
export { run } from './run.js'
