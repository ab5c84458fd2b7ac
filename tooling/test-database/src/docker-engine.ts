import { existsSync } from 'node:fs'
import { request, type RequestOptions } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PATIENCE_MS = 800

/** Where an engine may listen, in the order in which Testcontainers looks. */
function addresses(): RequestOptions[] {
  const host = process.env['DOCKER_HOST']
  if (host?.startsWith('unix://')) return [{ socketPath: host.slice('unix://'.length) }]
  if (host?.startsWith('tcp://')) {
    const { hostname, port } = new URL(host)
    return [{ host: hostname, port: port || 2375 }]
  }
  const runtime = process.env['XDG_RUNTIME_DIR']
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.docker', 'desktop', 'docker.sock'),
  ]
  return sockets.filter((path) => existsSync(path)).map((socketPath) => ({ socketPath }))
}

function answers(address: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request(
      { ...address, path: '/_ping', signal: AbortSignal.timeout(PATIENCE_MS) },
      (answer) => {
        answer.resume()
        resolve(true)
      },
    )
    ping.on('error', () => resolve(false))
    ping.end()
  })
}

/**
 * Whether a Docker engine answers, at `DOCKER_HOST` or on one of the usual sockets. Takes less than a second and
 * prints nothing.
 */
export async function isDockerReachable(): Promise<boolean> {
  return (await Promise.all(addresses().map(answers))).includes(true)
}
