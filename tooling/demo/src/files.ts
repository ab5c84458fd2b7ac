import { createHash } from 'node:crypto'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { TerminalError } from '@pgqrs/core'
import { zipSync, type Zippable } from 'fflate'
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

// Zip files hold a local time; a fixed one makes the same files the same bytes, in whatever process and time zone.
const MODIFIED = new Date(1980, 0, 1)

/**
 * Packs the files into a zip archive. The same files always give the same bytes, and the archive appears under its
 * name whole or not at all.
 * @throws TerminalError when a file is no longer the one that was hashed
 */
export async function pack(request: ArchiveRequest, files: readonly ArchivedFile[]): Promise<Archive> {
  const content: Zippable = {}
  for (const file of files) {
    const bytes = await readFile(join(request.directory, file.path))
    if (sha256(bytes) !== file.sha256) {
      throw new TerminalError(`${file.path} was changed while it was being archived. Archive it again.`)
    }
    content[file.path] = bytes
  }
  const zip = zipSync(content, { mtime: MODIFIED })
  await writeWhole(request.archive, zip)
  return { archive: request.archive, files: files.length, bytes: zip.length, sha256: sha256(zip) }
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`
  try {
    const file = await open(unfinished, 'w')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}
