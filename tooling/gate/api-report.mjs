import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'

// Its ES modules import each other without file extensions, which Node refuses; the CommonJS ones work.
const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor')

const compiler = {
  overrideTsconfig: {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      types: ['node'],
      strict: true,
      skipLibCheck: true,
    },
    include: ['dist'],
  },
}

function configFor(entry, folder) {
  const name = `${basename(entry, '.d.ts')}.api.md`
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve('package.json'),
    configObject: {
      projectFolder: process.cwd(),
      mainEntryPointFilePath: resolve(entry),
      compiler,
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        // A type that is reachable without being exported can break a user just the same.
        includeForgottenExports: true,
        reportFileName: name,
        reportFolder: folder,
        reportTempFolder: join(folder, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'warning' },
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
}

// The list at the end names chunk files with a hash and line numbers, which change with every build; the same
// warnings stand without them at the declarations.
const withoutPositions = (text) => text.replace(/^\/\/ .*\.d\.ts:\d+:\d+ - .*\n/gm, '')

/** The report of one entry: its exported declarations in the order of their names. */
export async function apiReport(entry, folder) {
  const config = configFor(entry, folder)
  const result = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      // Our own lines say all there is to say; what is left here are real problems.
      if (message.logLevel !== 'error') message.handled = true
    },
  })
  if (result.errorCount > 0) throw new Error(`api-extractor could not read ${entry}`)
  return withoutPositions(await readFile(config.reportFilePath, 'utf8'))
}
