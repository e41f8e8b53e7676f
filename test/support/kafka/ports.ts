// Free loopback ports that stay free while a broker is down, because no system gives them out by itself.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below what Linux (32768) and others (49152) take for outgoing connections. A port from there may be taken by any client
 * while the broker restarts, and a client that knocks at its closed port may even be connected to itself.
 */
const [LOWEST, HIGHEST] = [12_000, 32_000]

const given = new Set<number>()

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port)) continue
    const server = createServer().listen(port, '127.0.0.1')
    const free = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]).catch(() => false)
    if (!free) continue
    server.close()
    await once(server, 'close')
    given.add(port)
    return port
  }
}
