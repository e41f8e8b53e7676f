// A wire to the database that can fall silent, as a network does that loses every packet: nothing is closed, nothing arrives.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface Wire {
  readonly url: string
  /** Times that a client asked for an answer and waited, on all connections so far. */
  readonly roundTrips: number
  /** Connections that are open now hear and say nothing more; new ones work. */
  silence(): void
  close(): Promise<void>
}

export async function startWire(databaseUrl: string): Promise<Wire> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let roundTrips = 0
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname)
    near.on(
      'data',
      countMessages((kind) => {
        if (kind === SYNC || kind === QUERY) roundTrips += 1
      }),
    )
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    get roundTrips() {
      return roundTrips
    },
    silence() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

// The server answers at once to these two, and to what lies between two of them together.
const [SYNC, QUERY] = [...Buffer.from('SQ')]

/** Told of each message of a client: one byte of kind and four of length. Only the first message has no kind. */
function countMessages(message: (kind: number | undefined) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  let started = false
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const kindBytes = started ? 1 : 0
      if (rest.length < kindBytes + 4) return
      const length = kindBytes + rest.readUInt32BE(kindBytes)
      if (rest.length < length) return
      if (started) message(rest[0])
      started = true
      rest = rest.subarray(length)
    }
  }
}
