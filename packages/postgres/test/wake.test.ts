import { eventually, startPgBouncer, startProxy } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import type { Clock } from '@pgqrs/core/driver'
import type { PostgresDriver } from '../src/driver.js'
import { parametersOfDsn } from '../src/parameters.js'
import { payloads } from '../src/wake.js'
import { client, database, driverFor, hastyClock, strayErrors } from './database.js'

interface Ear {
  readonly heard: string[]
  readonly proved: boolean[]
  stop(): Promise<void>
}

async function listen(driver: PostgresDriver): Promise<Ear> {
  const heard: string[] = []
  const proved: boolean[] = []
  const stop = await driver.wake.listen(
    (topics) => heard.push(...topics),
    (works) => proved.push(works),
  )
  return { heard, proved, stop }
}

function listening(dsn: string, settings: Parameters<typeof driverFor>[1] = {}): PostgresDriver {
  return driverFor(dsn, { listen: parametersOfDsn(dsn, true), ...settings })
}

/** A clock whose pauses between two proofs are short. */
function hasty(): Clock {
  return hastyClock((ms, background) => (background ? Math.min(ms, 50) : ms / 10))
}

it('has proved that hints arrive when listen resolves, and then passes them on', async () => {
  const dsn = await database()
  const ear = await listen(listening(dsn))
  expect(ear.proved).toEqual([true])
  const other = listening(dsn)
  await other.wake.notify(['emails', 'run:1'])
  await eventually('the hint', () => ear.heard.length === 2)
  expect(ear.heard).toEqual(['emails', 'run:1'])
})

it('keeps schemas apart, and finds the one of the search path', async () => {
  const dsn = await database()
  await client(dsn)`create schema app`
  const named = await listen(listening(dsn, { schema: 'public' }))
  const found = await listen(listening(dsn))
  const app = await listen(listening(dsn, { schema: 'app' }))
  const pathDsn = `${dsn}?search_path=app`
  await listening(dsn).wake.notify(['one'])
  await listening(pathDsn).wake.notify(['two'])
  await eventually(
    'the hints',
    () => named.heard.length > 0 && found.heard.length > 0 && app.heard.length > 0,
  )
  expect([named.heard, found.heard, app.heard]).toEqual([['one'], ['one'], ['two']])
})

it('says when its connection was cut, proves itself again and then hears that anything may have happened', async () => {
  const stray = strayErrors()
  const dsn = await database()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const ear = await listen(listening(dsn, { listen: parametersOfDsn(proxy.dsn, true) }))
  proxy.cutAll()
  await eventually('the second proof', () => ear.proved.length === 3)
  expect(ear.proved).toEqual([true, false, true])
  expect(ear.heard).toEqual(['*'])
  proxy.refuse()
  proxy.cutAll()
  await eventually('the news', () => ear.proved.length === 4)
  await listening(dsn).wake.notify(['missed'])
  await proxy.heal()
  await eventually('the third proof', () => ear.proved.length === 5)
  expect(ear.heard).toEqual(['*', '*'])
  expect(stray).toEqual([])
})

it('notices a connection that went dead without a word, by proving itself again now and then', async () => {
  const dsn = await database()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const ear = await listen(listening(dsn, { listen: parametersOfDsn(proxy.dsn, true), clock: hasty() }))
  expect(ear.proved).toEqual([true])
  proxy.halfOpen()
  await eventually('the news', () => ear.proved.at(-1) === false)
  await proxy.heal()
  await eventually('the next proof', () => ear.proved.at(-1) === true)
})

it('finds out that PgBouncer delivers nothing, and uses the direct DSN when it is told one', async ({
  skip,
}) => {
  const dsn = await database()
  const bouncer = await startPgBouncer(dsn)
  skip(bouncer === undefined, 'pgbouncer is not installed')
  onTestFinished(() => bouncer!.stop())
  const parameters = parametersOfDsn(bouncer!.dsn, false)
  const deaf = await listen(driverFor(bouncer!.dsn, { parameters, listen: parameters, clock: hasty() }))
  expect(deaf.proved).toEqual([false])
  const direct = await listen(driverFor(bouncer!.dsn, { parameters, listen: parametersOfDsn(dsn, true) }))
  expect(direct.proved).toEqual([true])
})

it('resolves also when the server is not there, and leaves nothing behind when it is stopped', async () => {
  const dsn = await database()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  proxy.refuse()
  const driver = listening(proxy.dsn)
  const ear = await listen(driver)
  expect(ear.proved).toEqual([false])
  await ear.stop()
  await proxy.heal()
  const second = await listen(driver)
  expect(second.proved).toEqual([true])
  await second.stop()
  await second.stop()
  await driver.close()
  await eventually('the connections to end', () => proxy.connections() === 0)
})

it('tells others without listening itself', async () => {
  const dsn = await database()
  const ear = await listen(listening(dsn))
  const mute = driverFor(dsn)
  expect((await listen(mute)).proved).toEqual([false])
  await mute.wake.notify(['emails'])
  await eventually('the hint', () => ear.heard.length === 1)
})

it('stops within one round trip, whatever it is waiting for', async () => {
  const driver = listening(await database())
  const ear = await listen(driver)
  const begun = performance.now()
  await ear.stop()
  await driver.close()
  expect(performance.now() - begun).toBeLessThan(1000)
})

it('splits messages that are too long for one notification', async () => {
  const topics = Array.from({ length: 1000 }, (_, i) => `queue-${i}-${'ä'.repeat(20)}`)
  const texts = payloads([...topics, ...topics])
  expect(texts.length).toBeGreaterThan(5)
  for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(7900)
  expect(texts.flatMap((text) => text.split('\n'))).toEqual(topics)
  expect(payloads([])).toEqual([])
  const driver = listening(await database())
  const ear = await listen(driver)
  await driver.wake.notify(topics)
  await eventually('all topics', () => ear.heard.length === topics.length)
  expect(ear.heard).toEqual(topics)
})
