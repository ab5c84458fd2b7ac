import { createHash } from 'node:crypto'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { TerminalError } from '@pgqrs/core'
import { Zip, ZipDeflate } from 'fflate'
import type { Archive, ArchivedFile, ArchiveRequest } from './workflow.js'

/**
 * The regular files below a directory, relative to it and sorted. Installed packages, dot files and links are left out.
 * @throws when the directory cannot be read.
 */
export async function listFiles(directory: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) found.push(relative(directory, path).split(sep).join('/'))
    }
  }
  await walk(directory)
  return found.sort()
}

/** Size of a file, in bytes. */
export async function sizeOf(directory: string, path: string): Promise<number> {
  return (await stat(join(directory, path))).size
}

/** SHA-256 of a file, in hex. */
export async function sha256Of(directory: string, path: string): Promise<string> {
  return sha256(await readFile(join(directory, path)))
}

/** SHA-256 of bytes, in hex. */
export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/**
 * Packs the files into a zip archive. The same files always give the same bytes, and the archive appears under its
 * name whole or not at all.
 * @throws TerminalError when a file is no longer the one that was hashed
 */
export async function pack(request: ArchiveRequest, files: readonly ArchivedFile[]): Promise<Archive> {
  const { directory, archive } = request
  const unfinished = `${archive}.${process.pid}.part`
  try {
    const written = await writeAll(unfinished, zipped(directory, files))
    await rename(unfinished, archive)
    return { archive, files: files.length, ...written }
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** Writes the pieces to a file, down to the disk. */
async function writeAll(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Pick<Archive, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  let bytes = 0
  const file = await open(path, 'w')
  try {
    for await (const piece of pieces) {
      hash.update(piece)
      bytes += piece.length
      await file.writeFile(piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}

// Compressing a large file at once would keep the process from renewing its lease.
const PIECE_BYTES = 256 * 1024

// A zip file holds local times; a fixed one makes the same files the same bytes, in whatever process and time zone.
const MODIFIED = new Date(1980, 0, 1)

/** The bytes of the archive, piece by piece. */
async function* zipped(directory: string, files: readonly ArchivedFile[]): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = []
  const zip = new Zip((error, piece) => {
    if (error) throw error
    made.push(piece)
  })
  for (const file of files) {
    const content = await readFile(join(directory, file.path))
    if (sha256(content) !== file.sha256) {
      throw new TerminalError(`${file.path} was changed while it was being archived. Archive it again.`)
    }
    const entry = new ZipDeflate(file.path)
    entry.mtime = MODIFIED
    zip.add(entry)
    for (let from = 0, isLast = false; !isLast; from += PIECE_BYTES) {
      isLast = from + PIECE_BYTES >= content.length
      entry.push(content.subarray(from, from + PIECE_BYTES), isLast)
      yield* made
      made = []
      await turn()
    }
  }
  zip.end()
  yield* made
}
