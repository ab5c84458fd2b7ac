import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { help, readOptions, UsageError } from '../src/options.js'
import { look } from '../src/story.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-options-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('the command line', () => {
  it('runs on docs/ and an embedded database by default', () => {
    expect(readOptions([])).toEqual({
      dsn: undefined,
      directory: expect.stringMatching(/[/\\]docs$/),
      keep: false,
      color: true,
    })
  })

  it('takes what it is given', () => {
    const args = ['--dsn', 'postgres://localhost/app', `--dir=${folder}`, '--keep', '--no-color']
    expect(readOptions(args)).toEqual({
      dsn: 'postgres://localhost/app',
      directory: folder,
      keep: true,
      color: false,
    })
  })

  it.each(['--help', '-h'])('shows the help for %s', (flag) => {
    expect(readOptions([flag])).toBeUndefined()
    for (const option of ['--dir', '--dsn', '--keep', '--no-color']) expect(help).toContain(option)
  })

  it.each([
    [['--wat'], "Unknown option '--wat'."],
    [['docs'], "Unexpected argument 'docs'."],
    [['--dsn'], "Option '--dsn <value>' argument missing."],
    [['--keep=yes'], "Option '--keep' does not take an argument."],
    [
      ['--dsn', 'mysql://me:secret@host/app'],
      '--dsn must be postgres://… or sqlite: and a file, which two processes can share.',
    ],
    [
      ['--dsn', 'sqlite::memory:'],
      '--dsn must be postgres://… or sqlite: and a file, which two processes can share.',
    ],
    [['--dir', '/nowhere/at/all'], '--dir: /nowhere/at/all is not a directory.'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(new UsageError(message))
  })
})

describe('the directory', () => {
  it('must have a file', async () => {
    await expect(look(folder)).rejects.toThrow(new UsageError(`There is no file to archive in ${folder}.`))
  })

  it('must not be more than anybody would watch', async () => {
    writeFileSync(join(folder, 'large'), Buffer.alloc(20_000_001))
    await expect(look(folder)).rejects.toThrow(
      `${folder} has 1 files of 21 MB together. The demo is for watching: give it at most 250 files and 20 MB.`,
    )
  })
})
