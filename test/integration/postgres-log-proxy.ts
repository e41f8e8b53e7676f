// A wire to the database that a test can cut, or let fall silent as a network does that drops packets.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Wire {
  readonly url: string
  /** Ends every connection and refuses new ones. */
  cut(): void
  /** Nothing comes through and nobody is told. */
  silence(): void
  /** New connections work again; those that were silent are ended. */
  restore(): void
}

export async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let state: 'up' | 'cut' | 'silent' = 'up'
  const server = createServer((near) => {
    near.on('error', () => undefined)
    if (state === 'cut') {
      near.destroy()
      return
    }
    const far = connect(Number(target.port), target.hostname)
    far.on('error', () => near.destroy())
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('data', (chunk) => state === 'up' && other.write(chunk))
      one.on('close', () => {
        sockets.delete(one)
        if (state !== 'silent') other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const end = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(async () => {
    state = 'cut'
    end()
    await new Promise((resolve) => server.close(resolve))
  })
  const here = new URL(url)
  here.hostname = '127.0.0.1'
  here.port = String((server.address() as AddressInfo).port)
  return {
    url: here.href,
    cut() {
      state = 'cut'
      end()
    },
    silence() {
      state = 'silent'
    },
    restore() {
      const wasSilent = state === 'silent'
      state = 'up'
      if (wasSilent) end()
    },
  }
}
