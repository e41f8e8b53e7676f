// Connections to strangers: opened to checked addresses only, kept for the next picture of the same origin, ended for good.
import type { Socket } from 'node:net'
import { Client } from 'undici'
import type { AddressRule } from './addresses.ts'
import type { Dial } from './dial.ts'
import { orAbort, shown, unseen, type Unseen } from './outcome.ts'
import type { Resolve } from './resolve.ts'
import type { Target } from './target.ts'

export interface Connection {
  readonly state: 'open'
  readonly client: Client
  /** It served a request before: the other side may have ended it without us knowing yet. */
  readonly reused: boolean
  /** After a whole answer: for the next request. */
  keep(): void
  drop(): void
}

export interface Connections {
  /** Rejects with the failure of the name or of the connection. `fresh`: none that served before. */
  open(target: Target, until: AbortSignal, fresh: boolean): Promise<Connection | Unseen>
  close(): Promise<void>
}

/** Of a name with a thousand addresses all are checked and so many tried. */
const TRIED_ADDRESSES = 4
/** A picture has a handful of header lines; an answer with more is an attack on the parser. */
const HEADER_BYTES = 16 << 10
/** Servers keep idle connections for 5 s and more: we let go first. */
const IDLE_MS = 4_000

export function createConnections(options: {
  readonly address: AddressRule
  readonly resolve: Resolve
  readonly dial: Dial
  /** Kept idle at most, oldest out first. */
  readonly idle: number
}): Connections {
  const all = new Set<Client>()
  const idle: { origin: string; client: Client }[] = []

  const forget = (client: Client) => {
    const at = idle.findIndex((one) => one.client === client)
    if (at >= 0) idle.splice(at, 1)
  }
  const end = async (client: Client) => {
    forget(client)
    all.delete(client)
    await client.destroy()
  }
  const connection = (client: Client, origin: string, reused: boolean): Connection => ({
    state: 'open',
    client,
    reused,
    keep() {
      if (!all.has(client)) return
      idle.push({ origin, client })
      const oldest = idle.length > options.idle ? idle.shift() : undefined
      if (oldest !== undefined) void end(oldest.client)
    },
    drop() {
      void end(client)
    },
  })

  return {
    async open(target, until, fresh) {
      const { origin } = target.url
      const at = fresh ? -1 : idle.findLastIndex((one) => one.origin === origin)
      const [warm] = at >= 0 ? idle.splice(at, 1) : []
      if (warm !== undefined) return connection(warm.client, origin, true)
      const addresses = await checkedAddresses(target, until, options)
      if ('state' in addresses) return addresses
      const { host, port, secure } = target
      const dialling = options.dial({ host, port, secure, addresses }, until)
      const socket = await orAbort(dialling, until).catch((error: unknown) => {
        // One that came all the same, too late for anybody.
        dialling.then((late) => late.destroy()).catch(() => undefined)
        throw error
      })
      const client = clientOn(socket, origin)
      all.add(client)
      client.on('disconnect', () => void end(client))
      return connection(client, origin, false)
    },
    async close() {
      await Promise.all(Array.from(all, end))
    },
  }
}

/** Resolved once, all of them checked: one that is not public spoils the name, which was then made to lead us astray. */
async function checkedAddresses(
  target: Target,
  until: AbortSignal,
  { resolve, address }: { readonly resolve: Resolve; readonly address: AddressRule },
): Promise<readonly string[] | Unseen> {
  if (target.address !== undefined) return [target.address]
  const found = await orAbort(resolve(target.host, until), until)
  const checked: string[] = []
  for (const one of found) {
    const good = address(one)
    if (good === undefined)
      return unseen('address-refused', `${shown(target.url)}: the name leads to an address that is not public`)
    checked.push(good)
  }
  return checked.slice(0, TRIED_ADDRESSES)
}

/** undici speaks HTTP on this one socket and has no way to open another. */
function clientOn(socket: Socket, origin: string): Client {
  let first: Socket | undefined = socket
  return new Client(origin, {
    connect(_options, callback) {
      const taken = first
      first = undefined
      // Not within this call: undici sends what waits only after it has returned.
      queueMicrotask(() => {
        if (taken === undefined || taken.destroyed)
          callback(Object.assign(new Error('the connection is over'), { code: 'ECONNRESET' }), null)
        else callback(null, taken)
      })
    },
    allowH2: false,
    pipelining: 1,
    maxHeaderSize: HEADER_BYTES,
    // Whoever asks has a clock of its own, which does not start again with every byte.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
  })
}
