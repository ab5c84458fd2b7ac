import { createClient } from '@libsql/client'
import { eventually } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { createTable, driverFor, newFile, planFor, write } from './under-test.js'

const insert = (v: string) => write('insert into t values (?)', v)

it('hears of writes of another connection, and not of its own', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  await createTable(driver)
  const other = createClient({ url: `file:${path}` })
  onTestFinished(() => other.close())
  const heard: (readonly string[])[] = []
  const proofs: boolean[] = []
  const stop = await driver.wake!.listen(
    (topics) => heard.push(topics),
    (works) => proofs.push(works),
  )
  expect(proofs).toEqual([true])

  await driver.execute([insert('mine')])
  await driver.transaction(planFor(() => undefined))
  await other.execute("insert into t values ('other')")
  await eventually('the hint', () => heard.length > 0)
  expect(heard).toEqual([['*']])

  await stop()
  await other.execute("insert into t values ('unheard')")
  await driver.execute([insert('mine too')])
  expect(heard).toEqual([['*']])
})

it('holds its breath while a transaction is open', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  await createTable(driver)
  const proofs: boolean[] = []
  const stop = await driver.wake!.listen(
    () => undefined,
    (works) => proofs.push(works),
  )
  await driver.transaction(planFor(() => new Promise((resolve) => setTimeout(resolve, 100))))
  expect(proofs).toEqual([true])
  await stop()
})

it('is not offered where nobody else can write', () => {
  const driver = driverFor(':memory:')
  expect(driver.wake).toBeUndefined()
  expect(driver.capabilities).toMatchObject({ wake: 'none', shared: false })
})
