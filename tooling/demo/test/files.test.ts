import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listFiles, pack, sha256, sha256Of, sizeOf } from '../src/files.js'

let folder = ''
let archives = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-files-'))
  archives = join(folder, 'archives')
  for (const name of ['archives', 'docs', 'docs/guides', 'docs/node_modules']) mkdirSync(join(folder, name))
  for (const name of ['b.md', 'a.md', 'guides/ü.md', '.hidden', 'node_modules/x.js']) {
    writeFileSync(join(folder, 'docs', name), `this is ${name}`)
  }
  symlinkSync(folder, join(folder, 'docs', 'loop'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

async function packed(name: string): Promise<Uint8Array> {
  const directory = join(folder, 'docs')
  const files = await Promise.all(
    (await listFiles(directory)).map(async (path) => ({
      path,
      bytes: await sizeOf(directory, path),
      sha256: await sha256Of(directory, path),
    })),
  )
  const archive = join(archives, name)
  const made = await pack({ directory, archive }, files)
  const content = readFileSync(archive)
  expect(made).toEqual({ archive, files: files.length, bytes: content.length, sha256: sha256(content) })
  return content
}

describe('listFiles', () => {
  it('lists regular files in order, without links, dot files and installed packages', async () => {
    expect(await listFiles(join(folder, 'docs'))).toEqual(['a.md', 'b.md', 'guides/ü.md'])
  })
})

describe('pack', () => {
  it('writes the same bytes for the same files, with their content in it', async () => {
    const first = await packed('first.zip')
    expect(await packed('second.zip')).toEqual(first)
    const texts = Object.entries(unzipSync(first)).map(([path, bytes]) => [
      path,
      Buffer.from(bytes).toString(),
    ])
    expect(texts).toEqual([
      ['a.md', 'this is a.md'],
      ['b.md', 'this is b.md'],
      ['guides/ü.md', 'this is guides/ü.md'],
    ])
  })

  it('packs a file of many pieces without holding up the process', async () => {
    const large = randomBytes(3_000_000)
    writeFileSync(join(folder, 'docs', 'large'), large)
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    const content = unzipSync(await packed('large.zip'))
    clearInterval(counting)
    expect(Buffer.from(content['large'] ?? []).equals(large)).toBe(true)
    expect(turns).toBeGreaterThan(5)
  })

  it('refuses a file that is not the one that was hashed, and leaves nothing', async () => {
    const directory = join(folder, 'docs')
    const files = [{ path: 'a.md', bytes: 1, sha256: sha256(Buffer.from('something else')) }]
    await expect(pack({ directory, archive: join(archives, 'a.zip') }, files)).rejects.toThrow(
      'a.md was changed while it was being archived',
    )
    expect(readdirSync(archives)).toEqual([])
  })

  it('leaves nothing half-written when the archive cannot take its place', async () => {
    mkdirSync(join(archives, 'taken'))
    const request = { directory: join(folder, 'docs'), archive: join(archives, 'taken') }
    await expect(pack(request, [])).rejects.toThrow()
    expect(readdirSync(archives)).toEqual(['taken'])
  })
})
