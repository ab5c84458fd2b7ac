import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Keeps what a process has printed. */
export function keepOutput(folder: string, name: string, line: string): void {
  appendFileSync(join(folder, `${name}.out`), `${line}\n`)
}

/** Looks for a secret in everything that processes printed or wrote down. */
export function searchOutputs(folder: string, secret: string): { searched: number; found: string[] } {
  let searched = 0
  const found: string[] = []
  for (const file of readdirSync(folder).filter((name) => /\.(out|jsonl)$/.test(name))) {
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .forEach((line, i) => {
        searched++
        if (line.includes(secret)) found.push(`${file}:${i + 1}`)
      })
  }
  return { searched, found }
}
