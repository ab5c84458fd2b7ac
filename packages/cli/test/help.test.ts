import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { createProgram } from '../src/program.js'
import { Session } from '../src/session.js'
import { pgqrs } from './command-line.js'
import { project } from './project.js'

/** The words of every command, groups too. */
function everyCommand(): string[][] {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const below = (command: Command, path: string[]): string[][] => [
    path,
    ...command.commands.flatMap((child) => below(child, [...path, child.name()])),
  ]
  return below(createProgram(new Session({ stdin, stdout, stderr }), false), [])
}

it('has the commands the guide names', () => {
  expect(everyCommand().map((words) => words.join(' '))).toEqual([
    '',
    'install',
    'verify',
    'uninstall',
    'config',
    'status',
    ...['', ' list', ' create', ' pause', ' resume', ' purge', ' delete'].map((name) => `queue${name}`),
    ...['', ' list', ' show', ' enqueue', ' archive'].map((name) => `message${name}`),
    ...['', ' list', ' show', ' replay'].map((name) => `dead${name}`),
    ...['', ' list', ' suspend', ' resume', ' interrupt', ' purge'].map((name) => `worker${name}`),
    ...['', ' list', ' show', ' cancel', ' retry', ' result'].map((name) => `run${name}`),
  ])
})

it('shows help with examples for every command', async () => {
  project([])
  const pages: string[] = []
  for (const words of everyCommand()) {
    const { code, stdout, stderr } = await pgqrs([...words, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/\nExamples:\n {2}\$ /)
    pages.push(`$ pgqrs ${[...words, '--help'].join(' ')}\n${stdout}`)
  }
  await expect(pages.join('\n')).toMatchFileSnapshot('help.txt')
})

it('names PGQRS_DSN and the exit codes', async () => {
  const { stdout } = await pgqrs(['--help'])
  expect(stdout).toContain('PGQRS_DSN')
  for (const code of [0, 1, 2, 3, 70]) expect(stdout).toMatch(new RegExp(`^  ${code} +\\S`, 'm'))
})

it('shows help and ends with 2 when no command is given', async () => {
  for (const args of [[], ['queue']]) {
    const { code, stdout, stderr } = await pgqrs(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Usage: pgqrs')
  }
})

it.each([
  [['stats'], "unknown command 'stats' (Did you mean status?)"],
  [['queue', 'lst'], "unknown command 'lst' (Did you mean list?)"],
  [['status', '--jsno'], "unknown option '--jsno' (Did you mean --json?)"],
  [['queue', 'purge', 'emails', '--wath', 'dead'], "unknown option '--wath' (Did you mean --what?)"],
  [['status', '--dsn'], "option '--dsn <dsn>' argument missing"],
  [['verify', 'now'], "too many arguments for 'verify'. Expected 0 arguments but got 1."],
])('%j: %s', async (args, said) => {
  expect(await pgqrs(args)).toEqual({ code: 2, stdout: '', stderr: `error [USAGE] ${said}\n` })
  const asJson = await pgqrs([...args, '--json'])
  if (args.at(-1) !== '--dsn')
    expect(JSON.parse(asJson.stderr)).toEqual({ error: { code: 'USAGE', message: said } })
})
