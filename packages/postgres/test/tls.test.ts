import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { eventually, spawnChild } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { certificate, key } from './certificate.js'
import { parametersOfClient } from '../src/parameters.js'
import { at, client, database, driverFor, strayErrors } from './database.js'

/** Speaks TLS to clients, as a server with ssl = on does, and passes on what it hears. */
async function tlsFront(
  dsn: string,
  answer: 'S' | 'N' = 'S',
): Promise<{ dsn: string; sockets: Set<Socket> }> {
  const target = new URL(dsn)
  const sockets = new Set<Socket>()
  const server = createServer((plain) => {
    sockets.add(plain)
    plain.on('error', () => {})
    plain.once('data', () => {
      plain.write(answer)
      const socket = answer === 'S' ? new TLSSocket(plain, { isServer: true, cert: certificate, key }) : plain
      const behind = connect(Number(target.port || 5432), target.hostname)
      socket.on('error', () => behind.destroy())
      behind.on('error', () => socket.destroy())
      socket.pipe(behind).pipe(socket)
      plain.on('close', () => behind.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { dsn: at(dsn, { port }).replace('127.0.0.1', 'localhost'), sockets }
}

const one = [{ sql: 'select $1::int as one', parameters: [1], reads: true }]

it.each(['require', 'prefer', 'allow'])(
  'speaks TLS with sslmode=%s, whoever signed the certificate',
  async (mode) => {
    const front = await tlsFront(await database())
    expect(await driverFor(`${front.dsn}?sslmode=${mode}`).execute(one)).toEqual([[{ one: 1 }]])
  },
)

it('checks the certificate with sslmode=verify-full', async () => {
  const front = await tlsFront(await database())
  await expect(driverFor(`${front.dsn}?sslmode=verify-full`).execute(one)).rejects.toThrow(/self-signed/)
  const url = new URL(front.dsn)
  const sql = client(front.dsn, { ssl: { ca: certificate } })
  expect(await driverFor(front.dsn, { parameters: parametersOfClient(sql, true) }).execute(one)).toEqual([
    [{ one: 1 }],
  ])
  const other = client(front.dsn.replace(url.hostname, '127.0.0.1'), { ssl: { ca: certificate } })
  await expect(
    driverFor(front.dsn, { parameters: parametersOfClient(other, true) }).execute(one),
  ).rejects.toThrow(/altnames/)
})

it('takes the certificates of NODE_EXTRA_CA_CERTS, which a DSN cannot name', async () => {
  const front = await tlsFront(await database())
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-tls-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  await writeFile(file, certificate)
  const script = join(import.meta.dirname, 'children/connect-and-close.ts')
  const args = [`${front.dsn}?sslmode=verify-full`]
  const child = await spawnChild(script, args, { env: { NODE_EXTRA_CA_CERTS: file } })
  await child.waitFor('closed')
})

it('without TLS on the other side goes on for prefer, and not for require', async () => {
  const front = await tlsFront(await database(), 'N')
  expect(await driverFor(`${front.dsn}?sslmode=prefer`).execute(one)).toEqual([[{ one: 1 }]])
  await expect(driverFor(`${front.dsn}?sslmode=require`).execute(one)).rejects.toThrow(/does not offer TLS/)
})

it('survives the end of a TLS connection', async () => {
  const stray = strayErrors()
  const front = await tlsFront(await database())
  const driver = driverFor(`${front.dsn}?sslmode=require`)
  await driver.execute(one)
  for (const socket of front.sockets) socket.destroy()
  const error: unknown = await driver.execute(one).catch((e: unknown) => e)
  if (error instanceof Error) expect(['broken', 'unsent']).toContain(driver.classify(error).kind)
  const asleep = driver
    .execute([{ sql: 'select pg_sleep(20)', parameters: [], reads: true }])
    .catch((e: unknown) => e)
  while (front.sockets.size < 2) await new Promise((resolve) => setImmediate(resolve))
  await driver.execute(one)
  for (const socket of front.sockets) socket.destroy()
  expect(driver.classify(await asleep).kind).toBe('broken')
  await eventually('another connection', () => driver.execute(one).catch(() => undefined))
  expect(stray).toEqual([])
})
