// What becomes of one try to get a picture, in words: faults, ends that somebody calls, and what of a URL may be shown.
import type { Got } from '../../pipeline/pictures/ports.ts'

export type Unseen = Extract<Got, { state: 'unseen' }>

export const unseen = (fault: Unseen['fault'], message: string): Unseen => ({ state: 'unseen', fault, message })

/** Paths may be as long as a stranger likes. */
const SHOWN_PATH = 120

/** For messages: never the query or the fragment, which may hold keys, nor more of a path than tells it from others. */
export function shown(url: URL): string {
  const path = url.pathname.length > SHOWN_PATH ? `${url.pathname.slice(0, SHOWN_PATH)}…` : url.pathname
  return `${url.protocol}//${url.host}${path}`
}

/** An end with its reason: whoever calls it first has said why, and everything that holds `signal` lets go. */
export interface Stop {
  readonly signal: AbortSignal
  readonly why: Unseen | undefined
  end(why: Unseen): void
}

export function createStop(): Stop {
  const controller = new AbortController()
  let reason: Unseen | undefined
  return {
    signal: controller.signal,
    get why() {
      return reason
    },
    end(why) {
      if (reason !== undefined) return
      reason = why
      controller.abort()
    },
  }
}

/** The promise, or a rejection as soon as the signal is given: what ignores the signal is left behind. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(new Error('it was ended'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** What a failed lookup, connection or exchange means. `where` is for the message. */
export function faultOf(error: unknown, where: string): Unseen {
  const code = codeOf(error)
  if (isTimeOut(error)) return unseen('timed-out', `${where}: no answer in time (${code})`)
  return unseen('unreachable', `${where}: ${(code !== undefined ? WORDS[code] : undefined) ?? code ?? 'it failed'}`)
}

/** Whoever was asked said nothing at all. */
export function isTimeOut(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && TIME_OUTS.has(code)
}

const TIME_OUTS: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ETIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

/** Codes of Node, its resolver and undici; of what is not here the code itself is said, never a message with a stranger's bytes in it. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  ESERVFAIL: 'the name servers failed',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection ended before the answer did',
  UND_ERR_HEADERS_OVERFLOW: 'the header of the answer is too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is not as long as it said',
}

function codeOf(error: unknown): string | undefined {
  // Where several addresses were tried there is one failure for each.
  const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error
  const code =
    first instanceof Error ? ((first as { code?: unknown }).code ?? (error as { code?: unknown }).code) : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}
