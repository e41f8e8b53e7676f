// The port PictureFetcher for URLs: strangers' pictures from strangers' hosts, within bounds of place, bytes, time and number.
import type { Got, PictureFetcher } from '../../pipeline/pictures/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { createAddressRule } from './addresses.ts'
import { createBreaker } from './breaker.ts'
import { createCache } from './cache.ts'
import { createConnections } from './connections.ts'
import { dial, type Dial } from './dial.ts'
import { dead, download, late, type Downloaded, type DownloadParts } from './download.ts'
import { createHeldBytes } from './held-bytes.ts'
import { createStop, shown, unseen, type Stop, type Unseen } from './outcome.ts'
import { question } from './question.ts'
import { resolveByDns, type Resolve } from './resolve.ts'
import { createShared } from './shared.ts'
import { createTargets, type Target } from './target.ts'
import { createTurns } from './turns.ts'

/** `unchanged`: the host said that it still has what was got before. Everything else is a fault's name. */
export type FetchResult = 'got' | 'unchanged' | Unseen['fault']

export interface HttpFetcherOptions {
  /** Exact names, and `*.name` for all below a name; undefined: any public host. */
  readonly hosts: readonly string[] | undefined
  readonly ports: readonly number[]
  /** Addresses and CIDR networks that may be asked although they are not public. */
  readonly privateNetworks: readonly string[]
  /** Of one picture, as it comes. */
  readonly maxBytes: number
  /** Of one picture, with its redirects. */
  readonly timeMs: number
  /** Of all pictures that are remembered. */
  readonly cacheBytes: number
  /** At once. */
  readonly connections: number
  readonly connectionsPerHost: number
  readonly logger: Logger
  /** Once for every `get`. */
  readonly onResult: (result: FetchResult, seconds: number) => void
  /** The world, for tests. */
  readonly resolve?: Resolve
  readonly dial?: Dial
  readonly now?: () => number
}

export interface HttpFetcher extends PictureFetcher {
  /** Pictures that are asked for or waited for now. */
  pending(): number
  /** Ends every connection and every `get`, which then answer `busy`. */
  close(): Promise<void>
}

/** All that is on its way may have the bytes of so many pictures of the largest size. */
const HELD_PICTURES = 8

/**
 * A URL is asked every time, also where `sha256` binds a picture that is remembered: what a buyer will see is what the URL
 * serves, and a seller could bind the hash of somebody else's harmless picture. What remembering saves is the bytes (304).
 */
export function createHttpFetcher(options: HttpFetcherOptions): HttpFetcher {
  const { timeMs, maxBytes, logger } = options
  const address = createAddressRule(options.privateNetworks)
  const turns = createTurns({ total: options.connections, perHost: options.connectionsPerHost })
  const readTarget = createTargets({ hosts: options.hosts, ports: options.ports, address })
  const connections = createConnections({
    address,
    resolve: options.resolve ?? resolveByDns,
    dial: options.dial ?? dial,
    idle: options.connections,
  })
  const held = createHeldBytes(maxBytes * HELD_PICTURES)
  const breaker = createBreaker({
    now: options.now ?? (() => performance.now()),
    onDead: (origin) => logger.info({ origin }, 'an image host is silent and is left alone for a while'),
    question: (origin) => question(origin, { readTarget, connections, held }),
  })
  const parts: DownloadParts = {
    readTarget,
    connections,
    turns,
    breaker,
    cache: createCache(options.cacheBytes, options.now),
    held,
    maxBytes,
    timeMs,
  }
  const shared = createShared<Downloaded>()
  const callers = new Set<Stop>()
  /** URLs whose request has begun; the others wait for a turn. */
  const talking = new Set<string>()
  let closed = false

  async function wait(target: Target, until: AbortSignal): Promise<Downloaded> {
    const key = target.url.href
    const caller = createStop()
    callers.add(caller)
    const end = () =>
      caller.end(
        talking.has(key)
          ? late(target, timeMs)
          : unseen('busy', `${shown(target.url)}: ${turns.waiting} others were waiting for a connection`),
      )
    const clock = setTimeout(end, timeMs)
    until.addEventListener('abort', end, { once: true })
    try {
      const answer = await shared.ask(key, caller, (stop) =>
        download(target, parts, stop, () => talking.add(key)).finally(() => talking.delete(key)),
      )
      return answer ?? caller.why ?? CLOSED
    } finally {
      clearTimeout(clock)
      until.removeEventListener('abort', end)
      callers.delete(caller)
    }
  }

  async function look({ url, sha256 }: Parameters<PictureFetcher['get']>[0], until: AbortSignal): Promise<Downloaded> {
    if (closed) return CLOSED
    if (url === undefined) return unseen('not-a-picture', 'the image has no URL')
    const target = parts.readTarget(url)
    if (target.state === 'unseen') return target
    if (until.aborted) return unseen('busy', `${shown(target.url)}: the time was up before it was asked`)
    const resting = breaker.resting(target.url.origin)
    if (resting !== undefined) return dead(target, resting)
    const answer = await wait(target, until)
    if (answer.state === 'got' && sha256 !== undefined && sha256 !== answer.sha256)
      return unseen(
        'hash-differs',
        `${shown(target.url)}: its SHA-256 is ${answer.sha256}, the listing binds ${sha256}`,
      )
    return answer
  }

  return {
    async get(image, until): Promise<Got> {
      const begun = performance.now()
      const answer = await look(image, until).catch((error: unknown) => {
        // A bug of ours; the listing goes on without this picture, as the port promises.
        logger.error({ err: error }, 'a picture could not be asked for')
        return unseen('unreachable', 'our own code failed on it')
      })
      const seconds = (performance.now() - begun) / 1000
      if (answer.state === 'unseen') {
        options.onResult(answer.fault, seconds)
        return answer
      }
      options.onResult(answer.unchanged ? 'unchanged' : 'got', seconds)
      // A copy each: whoever decodes may hand its bytes over to a thread for good.
      return { state: 'got', bytes: answer.bytes.slice(), sha256: answer.sha256 }
    },
    pending: () => callers.size,
    async close() {
      closed = true
      for (const caller of callers) caller.end(CLOSED)
      await parts.connections.close()
    },
  }
}

const CLOSED = unseen('busy', 'the gate is stopping')
