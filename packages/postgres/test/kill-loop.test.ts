import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Failure } from '@pgqrs/core/driver'
import { client, database, driverFor, strayErrors } from './database.js'

const KILLS = 200
const WRITES = 2000

it('loses no statement, hangs none and throws nothing while backends are killed all the time', async () => {
  const stray = strayErrors()
  const dsn = await database()
  const admin = client(dsn)
  await admin`create table written (id int primary key)`
  const driver = driverFor(`${dsn}?application_name=victim`)
  const refused: Failure['kind'][] = []
  const acknowledged = new Set<number>()
  const unsent = new Set<number>()
  let next = 0
  let kills = 0
  const running = (): boolean => kills < KILLS || acknowledged.size < WRITES

  async function write(): Promise<void> {
    while (running()) {
      const id = next++
      const text =
        'insert into written select $1::int from pg_sleep($2::float8) where length($3::text) > 0 returning id'
      const parameters = [id, id % 4 === 0 ? 0.01 : 0, 'x'.repeat(id % 7 === 0 ? 20_000 : 3)]
      const several = id % 5 === 0 ? [{ sql: 'select 1', parameters: [], reads: true }] : []
      try {
        await driver.execute([{ sql: text, parameters, reads: false }, ...several])
        acknowledged.add(id)
      } catch (error) {
        const { kind } = driver.classify(error)
        if (kind === 'unsent') unsent.add(id)
        refused.push(kind)
        if (kind === 'other') throw error
      }
    }
  }
  async function kill(): Promise<void> {
    while (running()) {
      const killed = await admin`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'victim' order by random() limit 1`
      kills += killed.length
      await sleep(20 + Math.random() * 30)
    }
  }
  await Promise.all([kill(), ...Array.from({ length: 50 }, write)])

  const written = new Set((await admin<{ id: number }[]>`select id from written`).map(({ id }) => id))
  expect([...acknowledged].filter((id) => !written.has(id))).toEqual([])
  expect([...unsent].filter((id) => written.has(id))).toEqual([])
  expect(stray).toEqual([])
  expect(refused).toContain('broken')
}, 60_000)
