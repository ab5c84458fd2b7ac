import { describe, expect, it } from 'vitest'
import { problemsOf } from '../tree.mjs'

// Put together here, or the check would find them in this file.
const machinePath = ['', 'home', 'me', 'pgqrs'].join('/')
const token = `ghp_${'a1B2'.repeat(9)}`
const privateKey = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ')

describe('what may not stand in the repository', () => {
  it.each([
    [
      'an address in the lockfile',
      'pnpm-lock.yaml',
      'x:\n  tarball: file.tgz',
      'pnpm-lock.yaml:2: contains an address',
    ],
    [
      'a registry in the lockfile',
      'pnpm-lock.yaml',
      'at https://example.com',
      'pnpm-lock.yaml:1: contains an address',
    ],
    [
      "an address in the benchmark's lockfile",
      'tooling/bench/on-demand/pnpm-lock.yaml',
      'at https://example.com',
      'tooling/bench/on-demand/pnpm-lock.yaml:1: contains an address',
    ],
    ['a third lockfile', 'docs/pnpm-lock.yaml', "lockfileVersion: '9.0'", 'only pnpm-lock.yaml'],
    ["another tool's lockfile", 'docs/package-lock.json', '{}', 'only pnpm-lock.yaml'],
    ['a path of one machine', 'a.md', `see ${machinePath}`, 'a.md:1: contains a path of one machine'],
    ['one in quotes', 'a.ts', `'${machinePath}'`, 'a path of one machine'],
    ['a token', 'a.ts', `const t = '${token}'`, 'a GitHub token'],
    ['a private key', 'a.txt', privateKey, 'a private key'],
    ['a file for secrets', 'packages/core/.env', 'A=1', 'a file for secrets'],
  ])('finds %s', (_, path, text, problem) => {
    const problems = problemsOf(path, text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
    expect(problems[0]).not.toContain(token)
  })

  it.each([
    ['an address elsewhere', 'README.md', 'https://example.com/home/page'],
    ['a relative path', 'a.ts', "'./work/main' '../home/x' 'src/work/a'"],
    ['the name of a folder alone', 'a.md', 'the /home/ folder'],
    ['a normal lockfile', 'pnpm-lock.yaml', "lockfileVersion: '9.0'"],
    ["the benchmark's lockfile", 'tooling/bench/on-demand/pnpm-lock.yaml', "lockfileVersion: '9.0'"],
  ])('lets %s pass', (_, path, text) => {
    expect(problemsOf(path, text)).toEqual([])
  })
})
