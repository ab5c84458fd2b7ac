// Run by prepack and postpack in a package: the licence texts stand once, at the root, and travel with each tarball.
import { copyFile, rm } from 'node:fs/promises'
import { root } from './processes.mjs'

for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) {
  if (process.argv.includes('--remove')) await rm(name, { force: true })
  else await copyFile(`${root}${name}`, name)
}
