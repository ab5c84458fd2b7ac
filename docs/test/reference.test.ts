import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from '@pgqrs/core'
import { readPages, root } from './markdown.js'
import { pgqrs } from './command-line.js'

function pageAt(path: string): string {
  const page = readPages().find((one) => one.path === path)
  if (page === undefined) throw new Error(`there is no ${path}`)
  return page.text
}

describe('the table of settings', () => {
  const rows = pageAt('docs/guides/configuration.md')
    .split('\n')
    .filter((line) => line.includes('`PGQRS_'))
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, name = '', variables = '', unit = '', fallback = '']) => ({ name, variables, unit, fallback }))
  const { config, sources } = resolveConfig({}, { env: {}, file: join(root, 'docs/test/no-settings.yaml') })
  // Spans have another name once they are settled.
  const settled: Readonly<Record<string, string | number | boolean | undefined>> = {
    ...config,
    connectionTimeout: config.connectionTimeoutMs,
    lease: config.leaseMs,
    heartbeatInterval: config.heartbeatMs,
    pollInterval: config.pollMs,
  }

  it('has a row for each setting, in order', () => {
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(sources))
  })

  it.each(rows)('says the default of $name', ({ name, fallback }) => {
    expect(fallback).toBe(settled[name] === undefined ? 'none' : String(settled[name]))
  })

  it.each(rows)('says which variables set $name, and in which unit', ({ name, variables, unit }) => {
    for (const variable of variables.split(', ')) {
      const text =
        name === 'sqliteWal' ? 'false' : name === 'dsn' ? ':memory:' : name === 'schema' ? 'jobs' : '7'
      const places = { env: { [variable]: text }, file: join(root, 'docs/test/no-settings.yaml') }
      const { config: set, sources: from } = resolveConfig({}, places)
      expect(from[name as keyof typeof from]).toBe(variable)
      const factor = { '': undefined, seconds: 1000, milliseconds: 1 }[unit]
      if (factor !== undefined) expect(Object.values(set)).toContain(7 * factor)
    }
  })
})

describe('the guide to the command line', () => {
  const guide = pageAt('docs/guides/cli.md')

  it('speaks of every command and every option', { timeout: 120_000 }, async () => {
    const missing: string[] = []
    const visit = async (command: readonly string[]): Promise<void> => {
      const help = await pgqrs([...command, '--help'], root)
      const commands = sectionOf(help, 'Commands').filter((name) => name !== 'help')
      const options = [...sectionOf(help, 'Options'), ...sectionOf(help, 'Global Options')]
      for (const option of options) if (!guide.includes(option)) missing.push([...command, option].join(' '))
      for (const name of commands) {
        const words = [...command, name]
        if (!guide.includes(words.join(' '))) missing.push(words.join(' '))
        if (command.length === 0) await visit(words)
      }
    }
    await visit([])
    expect(missing).toEqual([])
  })
})

/** Names of what a section of a help text lists: commands, or the long names of options. */
function sectionOf(help: string, title: string): string[] {
  const [, section = ''] = help.split(`\n${title}:\n`)
  return section
    .split(/\n\n/, 1)
    .flatMap((text) => text.split('\n'))
    .flatMap((line) => /^ {2}(?:-\w, )?(--[\w-]+|[a-z]+)/.exec(line)?.[1] ?? [])
}
