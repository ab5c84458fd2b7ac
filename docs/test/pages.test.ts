import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { resolveConfig } from '@pgqrs/core'
import { commandsOf, runCommand } from './commands.js'
import { programsOf, readPages, type Block, type Page } from './markdown.js'
import { Sandbox } from './sandbox.js'

// Every fenced block of every page is run, from the top of the page to its end, as its reader would do it.

beforeAll(() => {
  for (const name of Object.keys(process.env)) {
    if (/^(PGQRS_(?!TEST_)|DATABASE_URL$|NO_COLOR$|FORCE_COLOR$)/.test(name)) vi.stubEnv(name, undefined)
  }
})

afterAll(() => {
  vi.unstubAllEnvs()
})

/** What the blocks of one page share. */
interface Reading {
  readonly page: Page
  readonly sandbox: () => Sandbox
  /** What the block before printed; a text block shows it. */
  printed: string
}

for (const page of readPages()) {
  describe(page.path, () => {
    let sandbox: Sandbox | undefined
    beforeAll(() => {
      sandbox = new Sandbox()
    })
    afterAll(() => sandbox?.remove())
    const reading: Reading = {
      page,
      sandbox: () => {
        if (sandbox === undefined) throw new Error('there is a sandbox only while tests run')
        return sandbox
      },
      printed: '',
    }
    const programs = new Map(programsOf(page.blocks, page.path).map((program) => [program.lastLine, program]))

    it('has no block in a language nobody checks', () => {
      const known = ['ts', 'js', 'sh', 'sql', 'yaml', 'text', 'mermaid']
      expect(page.blocks.filter((block) => !known.includes(block.language))).toEqual([])
    })

    for (const block of page.blocks) {
      const name = `line ${block.line} (${block.language})`
      if (block.notRun !== undefined) leftOut(name, block.notRun)
      else if (block.language === 'mermaid') leftOut(name, 'is a picture')
      else if (block.language === 'sh') shell(reading, block)
      else if (block.language === 'sql') {
        it(name, () => reading.sandbox().runSql(block.code))
      } else if (block.language === 'yaml') yaml(reading, block, name)
      else if (block.language === 'text') {
        it(`${name} is what the block before prints`, () => {
          expect(reading.printed).toMatch(pattern(block.code))
        })
      } else if (programs.has(block.line)) {
        const { code = '', line } = programs.get(block.line) ?? {}
        const from = line === block.line ? '' : `, begins at line ${line}`
        const run = async (): Promise<void> => {
          reading.printed = await reading.sandbox().runProgram(code)
          expect(reading.printed.split('\n')).toEqual(expect.arrayContaining(printedBy(code)))
        }
        it(`${name}${from}`, { timeout: 90_000 }, run)
        // What stands in a README is what a newcomer tries, and tries again.
        if (page.path.endsWith('README.md')) it(`${name}${from}, once more`, { timeout: 90_000 }, run)
      }
    }
  })
}

/** What a program says, in comments behind `console.log(…)`, that it prints. */
function printedBy(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, said = '']) => said)
}

function leftOut(name: string, reason: string): void {
  it(name, ({ skip }) => {
    skip(true, reason)
  })
}

function shell(reading: Reading, block: Block): void {
  for (const { text, notRun } of commandsOf(block.code)) {
    const name = `line ${block.line} (sh): ${text}`
    if (notRun !== undefined) leftOut(name, notRun)
    else {
      it(name, { timeout: 90_000 }, async () => {
        reading.printed = await runCommand(text, reading.sandbox())
      })
    }
  }
}

function yaml(reading: Reading, block: Block, name: string): void {
  it(`${name} is a configuration`, () => {
    const file = reading.sandbox().write(`line-${block.line}.yaml`, block.code)
    expect(resolveConfig({}, { env: {}, file }).config).toBeDefined()
  })
}

/** A pattern that a text block stands for: `…` is anything on its line. */
function pattern(text: string): RegExp {
  const lines = text.split('\n').map((line) =>
    line
      .trimEnd()
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replaceAll('…', '[^\\n]*'),
  )
  return new RegExp(`^${lines.join('[ ]*\\n')}[ ]*$`)
}
