import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject } from './project.js'

const destructive = [
  'uninstall',
  'queue purge emails',
  'queue delete emails --force',
  'worker purge --older-than 1ms',
]

it.each(destructive)('%s: does nothing when nobody can be asked', async (args) => {
  const store = await installedProject()
  await store.producer('emails').enqueue(1)
  const { code, stdout, stderr } = await pgqrs(args.split(' '))
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(
    /^Target: sqlite app\.db .*\nerror \[CONFIRMATION_REQUIRED\] This would .* --yes to do it\.\n$/,
  )
  expect(await store.admin.metrics('emails')).toMatchObject({ ready: 1 })
})

it('keeps standard error to one JSON object with --json', async () => {
  await installedProject()
  const { code, stderr } = await pgqrs(['uninstall', '--json'])
  expect(JSON.parse(stderr)).toEqual({
    error: { code: 'CONFIRMATION_REQUIRED', message: expect.stringContaining('--yes') },
  })
  expect(code).toBe(2)
})

it('asks on a terminal, and takes yes', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueue(1)
  const { code, stderr, stdout } = await pgqrs(['queue', 'purge', 'emails'], { input: 'y', columns: 100 })
  expect(stderr).toMatch(/^Target: sqlite app\.db \(from PGQRS_DSN\)\n/)
  expect(stderr).toContain('Really remove 1 waiting message of queue emails?')
  expect(stdout).toContain('Removed 1 message')
  expect(code).toBe(0)
})

// Enter takes the answer that is preselected, and that is no; Escape and Ctrl-C end the question.
it.each(['n', '\r', '\u0003', '\u001b'])(
  'asks on a terminal, and changes nothing after %j',
  async (input) => {
    const store = await installedProject()
    await store.producer('emails').enqueue(1)
    const { code, stderr, stdout } = await pgqrs(['queue', 'purge', 'emails'], { input, columns: 100 })
    expect(stderr).toContain('error [DECLINED] Nothing was changed.')
    expect(stdout).toBe('')
    expect(code).toBe(1)
    expect(await store.admin.metrics('emails')).toMatchObject({ ready: 1 })
  },
)

it('says with --dry-run what it would do, and does nothing', async () => {
  const store = await installedProject()
  await store.producer('emails').enqueueMany([1, 2])
  for (const args of [
    ['queue', 'purge', 'emails'],
    ['queue', 'delete', 'emails', '--force'],
    ['uninstall', '--yes'],
  ]) {
    expect(await json(...args, '--dry-run')).toMatchObject({ dryRun: true, would: expect.any(String) })
  }
  expect((await pgqrs(['queue', 'purge', 'emails', '--dry-run'])).stdout).toBe(
    'On sqlite app.db (from PGQRS_DSN) this would remove 2 waiting messages of queue emails.\n',
  )
  expect(await store.admin.metrics('emails')).toMatchObject({ ready: 2 })
})

it('asks on a real terminal', async ({ skip }) => {
  const script = '/usr/bin/script'
  skip(!existsSync(script) || process.platform !== 'linux', 'script(1) of util-linux is not here')
  const store = await installedProject()
  await store.producer('emails').enqueue(1)
  const main = join(import.meta.dirname, '../src/main.ts')
  // A terminal that script(1) makes has no width of its own.
  const command = `stty cols 100; '${process.execPath}' --conditions=@pgqrs/source --import '${import.meta.resolve('tsx')}' '${main}' queue purge emails`
  const child = spawn(script, ['--quiet', '--return', '--command', command, '/dev/null'])
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!shown.includes('Really') && (shown + text).includes('Really')) child.stdin.write('y')
    shown += text
  })
  const [code] = (await once(child, 'close')) as [number]
  expect(shown).toContain('Target: sqlite app.db')
  expect(shown).toContain('Removed 1 message of queue emails.')
  expect(code).toBe(0)
})
