// Installs through several stores at once, as soon as it gets the signal.
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, stores } = childSetup<{ stores: number }>()
const opened = await Promise.all(Array.from({ length: stores }, () => connectTo(driver, { dsn })))
process.once('SIGUSR2', () => {
  void install()
})
// A listener for a signal keeps no process alive.
const alive = setInterval(() => undefined, 1000)
tell('ready')

async function install(): Promise<void> {
  const reports = await Promise.all(opened.map((store) => store.admin.install()))
  tell('installed', reports)
  await Promise.all(opened.map((store) => store.close()))
  clearInterval(alive)
}
