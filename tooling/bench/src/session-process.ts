// A child process of the bench: opens one session of one system and does with it what the parent says.
import { Activities } from './activities.js'
import type { Answer, Request } from './remote-session.js'
import type { BenchDatabase, System } from './system.js'
import { systemNamed } from './systems.js'

let activities: Activities | undefined

async function answer(request: Request): Promise<unknown> {
  if (request.call === 'prepare') {
    const { system, configuration, database, backlog } = request.preparation
    await prepare(await systemNamed(system, configuration), database, backlog)
    return undefined
  }
  if (request.call === 'open') {
    const { system, configuration, database, options } = request.opening
    const session = await (await systemNamed(system, configuration)).open(database, options)
    activities = new Activities(session)
    return undefined
  }
  if (activities === undefined) throw new Error('nothing is open yet')
  const method: unknown = Reflect.get(activities, request.call)
  if (typeof method !== 'function') throw new Error(`there is no activity ${request.call}`)
  return Reflect.apply(method, activities, request.args)
}

/** How long a system may take to put its backlog there by its own calls; it is measured on what is there then. */
const fillCapMs = 6_000

async function prepare(system: System, database: BenchDatabase, backlog: number): Promise<void> {
  await system.install(database)
  if (backlog === 0) return
  if (system.fill !== undefined) {
    await system.fill(database, backlog)
    return
  }
  const options = { scenario: 'D', role: 'producer', work: 'messages', concurrency: 100 } as const
  const session = await system.open(database, options)
  await new Activities(session).fill(backlog, fillCapMs)
  await session.close()
}

function send(message: Answer): void {
  process.send?.(message)
}

process.on('message', (request: Request) => {
  answer(request).then(
    (value) => send({ id: request.id, value }),
    (error: unknown) =>
      send({ id: request.id, error: error instanceof Error ? error : new Error(String(error)) }),
  )
})
// Whoever started this process is gone.
process.on('disconnect', () => process.exit(0))
