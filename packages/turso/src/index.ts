/**
 * pgqrs on libSQL: a local file, or a remote database as Turso hosts them, through `@libsql/client`.
 * @packageDocumentation
 */
export { connect, type TursoOptions } from './connect.js'
