import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { root } from './markdown.js'

interface CommandLine {
  run(argv: readonly string[], io: Record<'stdin' | 'stdout' | 'stderr', PassThrough>): Promise<number>
}

// By path, because the command is no dependency of the pages: a reader installs it beside the packages.
const source = join(root, 'packages/cli/src/index.ts')

/**
 * Runs `pgqrs` in this process, with this folder and these variables as its own, and returns what it printed.
 * @throws Error with everything it printed when its exit code is not 0.
 */
export async function pgqrs(
  argv: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { run } = (await import(source)) as CommandLine
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdin.end()
  const texts = Promise.all([collected(stdout), collected(stderr)])
  const code = await within(folder, env, () => run(argv, { stdin, stdout, stderr }))
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  if (code !== 0) throw new Error(`pgqrs ${argv.join(' ')} ended with ${code}:\n${out}${err}`)
  return out.trimEnd()
}

async function within<T>(
  folder: string,
  env: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const back = process.cwd()
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  process.chdir(folder)
  Object.assign(process.env, env)
  try {
    return await work()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
    process.chdir(back)
  }
}

async function collected(stream: PassThrough): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
