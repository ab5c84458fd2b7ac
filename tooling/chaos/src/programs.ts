import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a process of the load can be. */
export type Program = 'worker' | 'consumer' | 'client'

/** The programs of the processes of the load, as files that start quickly. */
export interface Programs {
  file(program: Program): string
  remove(): void
}

/** As much of esbuild as is used; its types are not among ours. */
interface Bundler {
  build(options: object): Promise<unknown>
}

const programs: readonly Program[] = ['worker', 'consumer', 'client']
const source = fileURLToPath(new URL('./processes/', import.meta.url))
// Below the package, so that the clients of the databases are found from there.
const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url))

/**
 * Bundles the programs from the sources: a process that is killed and started again all the time must not spend its
 * life on loading hundreds of files.
 */
export async function bundlePrograms(): Promise<Programs> {
  // tsx brings esbuild along, and it is the one that runs everything else here.
  const tsx = createRequire(createRequire(import.meta.url).resolve('tsx'))
  const esbuild = tsx('esbuild') as Bundler
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'chaos-'))
  await esbuild.build({
    entryPoints: programs.map((program) => join(source, `${program}.ts`)),
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@pgqrs/source'],
    outExtension: { '.js': '.mjs' },
    external: ['better-sqlite3', '@libsql/client', 'postgres'],
    banner: {
      js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);",
    },
  })
  return {
    file: (program) => join(folder, `${program}.mjs`),
    remove: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
