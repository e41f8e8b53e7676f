// The sockets of one client: opened where an address says, and, when the client is over, gone with it for good.
import net from 'node:net'
import tls from 'node:tls'
import type { ISocketFactory } from 'kafkajs'
import { refuseConnections } from './internals.ts'

export interface Sockets {
  readonly open: ISocketFactory
  readonly shut: boolean
  /**
   * Destroys every socket and refuses new ones, so that whatever kafkajs is still trying fails at once: its retries lie in
   * each other (20 tries to send, each with 20 to connect, a second apart), and go on for minutes after a disconnect.
   */
  close(): void
}

// A connection that broke without a word is noticed by the kernel, also where nothing is asked for long.
const KEEP_ALIVE_MS = 60_000

export function createSockets(): Sockets {
  const sockets = new Set<net.Socket>()
  let shut = false
  const open: ISocketFactory = ({ host: named, port, ssl, onConnect }) => {
    const host = hostOf(named)
    const socket = ssl
      ? // A name is sent along so that the broker can choose its certificate; an address must not be.
        tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  return {
    open,
    get shut() {
      return shut
    },
    close() {
      shut = true
      refuseConnections(open)
      // With a failure: it is how kafkajs learns that answers will not come.
      for (const socket of sockets) socket.destroy(new Error('The client is closed'))
    },
  }
}

/*
 * kafkajs cuts a broker's address at its first colon. So an IPv6 address goes through it with its colons written in another
 * way, and is put right here; what brokers say of themselves comes here as it is.
 */

/** An address of the settings, `host:port` or `[IPv6]:port`, as kafkajs can cut it. */
export function cuttable(address: string): string {
  const [, host, port] = /^\[(.*)\]:(\d+)$/.exec(address) ?? []
  return host === undefined || port === undefined ? address : `${host.replaceAll(':', COLON)}:${port}`
}

const COLON = '%3A'
/** The inverse, in a host or in a text that names one. */
export const readable = (text: string): string => text.replaceAll(COLON, ':')
const hostOf = (host: string): string => readable(host).replace(/^\[(.*)\]$/, '$1')
