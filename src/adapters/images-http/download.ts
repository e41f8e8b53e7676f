// One picture from its URL: hop by hop, each checked in full, in its host's turn, unless its origin is taken for dead.
import type { Breaker } from './breaker.ts'
import type { Cache } from './cache.ts'
import type { Connections } from './connections.ts'
import { exchange, type Answer } from './exchange.ts'
import type { HeldBytes } from './held-bytes.ts'
import { faultOf, isTimeOut, shown, unseen, type Stop, type Unseen } from './outcome.ts'
import type { ReadTarget, Target } from './target.ts'
import type { Turns } from './turns.ts'

export interface DownloadParts {
  readonly readTarget: ReadTarget
  readonly connections: Connections
  readonly turns: Turns
  readonly breaker: Breaker
  readonly cache: Cache
  readonly held: HeldBytes
  readonly maxBytes: number
  readonly timeMs: number
}

export type Downloaded =
  { readonly state: 'got'; readonly bytes: Uint8Array; readonly sha256: string; readonly unchanged: boolean } | Unseen

const REDIRECTS = 3
/**
 * Ended without a word after this long, a host counts as silent: the clock of a listing may be shorter than ours. As long,
 * or a third of our time, and it is suspected.
 */
const SILENT_MS = 1_000

/** Never rejects. `started` is called when the first turn has come: from then on `timeMs` run. */
export async function download(
  first: Target,
  parts: DownloadParts,
  stop: Stop,
  started: () => void,
): Promise<Downloaded> {
  let target = first
  let clock: NodeJS.Timeout | undefined
  try {
    for (let hop = 0; hop <= REDIRECTS; hop += 1) {
      // The turn of the last hop was given back: holding one while waiting for another could lock two sites in each other.
      const done = await parts.turns.take(target.host, stop.signal)
      if (done === undefined) break
      started()
      clock ??= setTimeout(() => stop.end(late(first, parts.timeMs)), parts.timeMs)
      try {
        const answer = await ask(target, parts, stop)
        if (answer.state !== 'moved') return answer
        const next = parts.readTarget(answer.location, target)
        if (next.state === 'unseen') return { ...next, message: `${shown(target.url)} redirects: ${next.message}` }
        target = next
      } finally {
        done()
      }
    }
    return stop.why ?? unseen('unreachable', `${shown(first.url)}: more than ${REDIRECTS} redirects`)
  } finally {
    clearTimeout(clock)
  }
}

export const late = (target: Target, timeMs: number): Unseen =>
  unseen('timed-out', `${shown(target.url)}: not there after ${timeMs} ms`)

export const dead = (target: Target, seconds: number): Unseen =>
  unseen('unreachable', `${target.url.origin} has not answered of late; it is asked again in about ${seconds} s`)

async function ask(
  target: Target,
  parts: DownloadParts,
  stop: Stop,
): Promise<Downloaded | Extract<Answer, { state: 'moved' }>> {
  // By origin: a seller can name any port of an honest host, and one that is closed says nothing of the others.
  const { origin } = target.url
  const trial = await parts.breaker.begin(origin, stop.signal)
  if (trial === undefined) return stop.why ?? dead(target, parts.breaker.resting(origin) ?? 1)
  const begun = performance.now()
  const cached = parts.cache.find(target.url.href)
  let heard = false
  const suspect = setTimeout(() => trial.slow(), Math.min(SILENT_MS, parts.timeMs / 3))
  try {
    const answer = await converse(target, parts, stop, cached?.validators, () => {
      heard = true
      clearTimeout(suspect)
      trial.heard()
    })
    if (!heard) trial.unknown()
    if (answer.state === 'unchanged')
      return cached === undefined
        ? unseen('unreachable', `${shown(target.url)}: answered 304 to what was not asked`)
        : { state: 'got', bytes: cached.bytes, sha256: cached.sha256, unchanged: true }
    if (answer.state === 'got') remember(parts.cache, target, answer)
    return answer.state === 'got' ? { ...answer, unchanged: false } : answer
  } catch (error) {
    if (!heard) {
      // What is refused, reset or unknown at once costs nobody time, and may be one path, one address or one moment.
      if (isTimeOut(error) || performance.now() - begun >= SILENT_MS) trial.silent()
      else trial.unknown()
    }
    return stop.why ?? faultOf(error, shown(target.url))
  } finally {
    clearTimeout(suspect)
  }
}

/** A kept connection that the other side had ended meanwhile is no failure of the host: once more on a new one. */
async function converse(
  target: Target,
  parts: DownloadParts,
  stop: Stop,
  validators: Parameters<typeof exchange>[2]['validators'],
  onHeard: () => void,
): Promise<Answer> {
  const { maxBytes, held } = parts
  for (let fresh = false; ; fresh = true) {
    const connection = await parts.connections.open(target, stop.signal, fresh)
    if (connection.state === 'unseen') return connection
    let heard = false
    const told = () => {
      heard = true
      onHeard()
    }
    try {
      return await exchange(connection, target, { validators, maxBytes, held, heard: told }, stop)
    } catch (error) {
      if (heard || !connection.reused || stop.why !== undefined) throw error
    }
  }
}

function remember(cache: Cache, target: Target, answer: Extract<Answer, { state: 'got' }>): void {
  const { bytes, sha256, validators } = answer
  if (validators === undefined) cache.forget(target.url.href)
  else cache.store(target.url.href, { bytes, sha256, validators })
}
