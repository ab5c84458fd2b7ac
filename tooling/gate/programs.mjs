import { run } from './processes.mjs'

/** For programs that read our sources: they need no build and cannot run against a stale one. */
export const fromSources = ['--conditions=@pgqrs/source']

/** Runs the main file of a folder of tooling. Options are those of `run`. */
export function program(folder, args, flags, options = {}) {
  // tsx runs inside this one process, so a signal reaches the program itself and its exit code is ours.
  const tsx = import.meta.resolve('tsx')
  const main = new URL(`../${folder}/src/main.ts`, import.meta.url).pathname
  return run(process.execPath, [...flags, '--import', tsx, main, ...args], options)
}
