import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './processes.mjs'

const foreignLockfiles = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
])
/** The workspace's, and that of the rivals, which only the benchmark installs. */
const lockfiles = ['pnpm-lock.yaml', 'tooling/bench/on-demand/pnpm-lock.yaml']
const secretFiles = /^(\.env(\..+)?|\.npmrc|id_(rsa|ecdsa|ed25519)|.+\.(pem|p12|pfx|key))$/
const largestText = 1_000_000

const lockfileRules = [
  { what: 'an address (a lockfile must install from any registry)', pattern: /https?:\/\/|tarball:/ },
]
const textRules = [
  { what: 'a path of one machine', pattern: /(?<![\w.~-])\/(?:work|home|root)\/[\w.-]/ },
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { what: 'an AWS key', pattern: /\bAKIA[0-9A-Z]{16}\b/ },
  { what: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,})/ },
  { what: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=/ },
  { what: 'a Slack token', pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/ },
  { what: 'an API key', pattern: /\bsk-[A-Za-z0-9_-]{32,}/ },
  { what: 'a JSON web token', pattern: /\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}/ },
]

/** What is wrong with one file of the repository; a finding names the line and the rule, never the secret. */
export function problemsOf(path, text) {
  const name = basename(path)
  const isLockfile = lockfiles.includes(path)
  if (foreignLockfiles.has(name) || (name === 'pnpm-lock.yaml' && !isLockfile)) {
    return [`${path}: only ${lockfiles.join(' and ')} are lockfiles here`]
  }
  const problems = secretFiles.test(name) ? [`${path}: looks like a file for secrets`] : []
  const rules = isLockfile ? [...lockfileRules, ...textRules] : textRules
  for (const [index, line] of text.split('\n').entries()) {
    for (const { what, pattern } of rules) {
      if (pattern.test(line)) problems.push(`${path}:${index + 1}: contains ${what}`)
    }
  }
  return problems
}

/** Tracked files and the new ones that git would add. */
async function repositoryFiles() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const { stdout } = await promisify(execFile)('git', args, { cwd: root, maxBuffer: 64e6 })
  return stdout.split('\0').filter(Boolean)
}

async function textOf(path) {
  const { size } = await stat(join(root, path))
  const bytes = size > largestText ? Buffer.alloc(0) : await readFile(join(root, path))
  return bytes.includes(0) ? '' : bytes.toString('utf8')
}

export async function checkTree() {
  const files = await repositoryFiles()
  const problems = lockfiles.filter((path) => !files.includes(path)).map((path) => `${path} is missing`)
  for (const path of files) {
    // A file that git still lists but that is deleted in the work tree has nothing to check.
    const text = await textOf(path).catch(() => '')
    problems.push(...problemsOf(path, text))
  }
  for (const problem of problems) console.error(problem)
  return problems.length === 0
}
