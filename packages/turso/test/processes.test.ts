import { spawnChild } from '@pgqrs/test-database'
import { expect, it } from 'vitest'
import { createTable, driverFor, newFile, newServer, valuesOf, write } from './under-test.js'

const script = (name: string): string => new URL(name, import.meta.url).pathname

it('shares a file with other processes, none losing anything', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  await createTable(driver)
  const children = await Promise.all(
    ['a', 'b'].map((who) => spawnChild(script('writer-child.ts'), [path, who])),
  )
  await Promise.all(children.map((child) => child.waitFor('ready')))
  for (let i = 0; i < 100; i++) await driver.execute([write('insert into t values (?)', `c${i}`)])
  await Promise.all(children.map((child) => child.waitFor('done', 30_000)))
  expect(await valuesOf(driver)).toHaveLength(300)
})

it('lets a script end that has closed everything', async () => {
  const server = await newServer()
  const dsns = [`file:${await newFile()}`, ':memory:', server.httpUrl, server.wsUrl]
  const child = await spawnChild(script('closing-child.ts'), dsns)
  await child.waitFor('closed')
  expect(await child.exited).toEqual({ code: 0, signal: null })
}, 20_000)

it('lets a script end that closes while a server does not answer', async () => {
  const server = await newServer()
  server.fail({ delayMs: 60_000, drop: 'request', count: 10 })
  const child = await spawnChild(script('silence-child.ts'), [server.httpUrl, server.wsUrl])
  await child.waitFor('closed')
  expect(await child.exited).toEqual({ code: 0, signal: null })
}, 20_000)
