import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { inject } from 'vitest'
import type {} from '@pgqrs/test-database/vitest-global'
import { spawnChild, startLibsqlServer, type LibsqlServer } from '@pgqrs/test-database'
import { root } from './markdown.js'

/** What a program or command printed on standard output. */
export type Printed = string

let programs = 0

/**
 * What a reader of one page has: an empty folder with the packages installed, a Postgres database and a libSQL server.
 * The addresses that pages name are replaced by theirs.
 */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'pgqrs-docs-'))
  readonly env: Record<string, string> = {}
  private readonly database = `pgqrs_docs_${Math.random().toString(36).slice(2, 10)}`
  private created = false
  private readonly roles = new Set<string>()
  private server: LibsqlServer | undefined
  private readonly closers: (() => Promise<void>)[] = []

  constructor() {
    mkdirSync(join(this.folder, 'node_modules'))
    symlinkSync(join(root, 'docs/node_modules/@pgqrs'), join(this.folder, 'node_modules/@pgqrs'))
  }

  /** The DSN that stands in for `postgresql://localhost/app`. */
  async postgresDsn(): Promise<string> {
    const dsn = new URL(inject('postgresDsn'))
    if (!this.created) {
      this.created = true
      await this.onServer((sql) => sql.unsafe(`create database ${this.database} template template0`))
    }
    dsn.pathname = `/${this.database}`
    return dsn.href
  }

  /** The text with the addresses of this sandbox in place of the page's. */
  async localized(text: string): Promise<string> {
    let out = text
    if (/postgres(ql)?:\/\//.test(out)) {
      out = out.replaceAll(/postgres(?:ql)?:\/\/[^\s'"`]+/g, await this.postgresDsn())
    }
    if (out.includes('libsql://')) {
      this.server ??= await startLibsqlServer()
      out = out.replaceAll(/libsql:\/\/[^\s'"`]+/g, this.server.httpUrl)
    }
    return out
  }

  /**
   * Runs a program as a process of its own in the folder of the sandbox.
   * @throws Error with everything it printed when it fails or does not end by itself.
   */
  async runProgram(code: string): Promise<Printed> {
    const file = join(root, 'docs/.tmp', `${process.pid}-${programs++}.ts`)
    mkdirSync(join(root, 'docs/.tmp'), { recursive: true })
    writeFileSync(file, await this.localized(code))
    try {
      return await runFile(file, [], this.folder, this.env)
    } finally {
      rmSync(file)
    }
  }

  /** The database the page has exported as PGQRS_DSN. */
  configuredDsn(): string {
    const dsn = this.env['PGQRS_DSN']
    if (dsn === undefined) throw new Error('the page exports no PGQRS_DSN before it speaks of an <id>')
    return dsn.replace(/^sqlite:(?!\/)/, `sqlite:${this.folder}/`)
  }

  /** Writes a file into the folder. */
  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** The role that stands in for one of the page's: roles belong to the whole server. */
  roleName(role: string): string {
    return `${this.database}_${role}`
  }

  /** Executes SQL statements on the page's Postgres. */
  async runSql(text: string): Promise<void> {
    for (const [, role = ''] of text.matchAll(/create role (\w+)/g)) this.roles.add(role)
    const local = text.replaceAll(/\w+/g, (word) => (this.roles.has(word) ? this.roleName(word) : word))
    const sql = postgres(await this.postgresDsn(), { max: 1, onnotice: () => {} })
    try {
      await sql.unsafe(local)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }

  /** Has something closed before everything is removed. */
  onRemove(close: () => Promise<void>): void {
    this.closers.push(close)
  }

  /** Removes everything. */
  async remove(): Promise<void> {
    for (const close of this.closers) await close()
    await this.server?.stop()
    if (this.created) {
      await this.onServer((sql) => sql.unsafe(`drop database if exists ${this.database} with (force)`))
      for (const role of this.roles) {
        await this.onServer((sql) => sql.unsafe(`drop role if exists ${this.roleName(role)}`))
      }
    }
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true })
  }

  private async onServer(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
    const sql = postgres(inject('postgresDsn'), { max: 1, onnotice: () => {} })
    try {
      await work(sql)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}

/**
 * Runs a TypeScript file and returns what it printed.
 * @throws Error with everything it printed when its exit code is not 0 or it does not end within a minute.
 */
export async function runFile(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Printed> {
  const child = await spawnChild(file, args, { cwd, env })
  const timer = setTimeout(() => {
    child.kill()
  }, 60_000)
  const { code, signal } = await child.exited
  clearTimeout(timer)
  // Asking for a line that never comes is how to get everything that was printed, on standard error too.
  if (code !== 0) await child.waitFor(() => false, 0).catch(explained(code, signal))
  const lines: string[] = []
  for await (const line of child.lines) lines.push(line)
  return lines.join('\n')
}

function explained(code: number | null, signal: string | null): (error: unknown) => never {
  return (error) => {
    throw new Error(`it ended with ${code ?? signal ?? '?'}: ${(error as Error).message}`)
  }
}
