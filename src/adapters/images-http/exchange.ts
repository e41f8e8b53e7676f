// One GET over one connection: what the answer is, counted and timed as it comes.
import type { Dispatcher } from 'undici'
import { createBody } from './body.ts'
import type { Validators } from './cache.ts'
import type { Connection } from './connections.ts'
import type { HeldBytes } from './held-bytes.ts'
import { shown, unseen, type Stop, type Unseen } from './outcome.ts'
import type { Target } from './target.ts'

export type Answer =
  | {
      readonly state: 'got'
      readonly bytes: Uint8Array
      readonly sha256: string
      readonly validators: Validators | undefined
    }
  /** 304: it is what the validators were of. */
  | { readonly state: 'unchanged' }
  | { readonly state: 'moved'; readonly location: string }
  | Unseen

export interface Exchange {
  readonly validators: Validators | undefined
  readonly maxBytes: number
  readonly held: HeldBytes
  /** The host has said something: it is not dead. */
  readonly heard: () => void
}

/** A mobile line brings a hundred times as much in a look, a host that drips to hold us brings less. */
const LOOK_MS = 1_000
const LOOK_BYTES = 2 << 10
/** In a row: a single look may come late, and then before what waited for us with it. */
const SLOW_LOOKS = 2

/** What can be packed a thousandfold; it was not asked for, and is not unpacked. */
const PACKED = /\b(gzip|deflate|br|zstd|compress)\b/i

/**
 * The connection is kept after a whole answer and dropped after any other.
 * @throws what the connection threw; `stop.why` says so first where it was ended.
 */
export async function exchange(connection: Connection, target: Target, ask: Exchange, stop: Stop): Promise<Answer> {
  let whole = false
  try {
    const response = await connection.client.request({
      method: 'GET',
      path: `${target.url.pathname}${target.url.search}`,
      headers: { ...HEADERS, ...conditions(ask.validators) },
      signal: stop.signal,
    })
    // What is not read to its end is ended with an error that nobody waits for.
    response.body.on('error', () => undefined)
    ask.heard()
    const answer = await answerOf(response, target, ask, stop)
    whole = answer.state === 'got' || answer.state === 'unchanged'
    return answer
  } finally {
    if (whole) connection.keep()
    else connection.drop()
  }
}

const HEADERS = {
  'user-agent': 'touchstone',
  accept: 'image/jpeg, image/png, image/webp, image/gif, image/avif;q=0.9',
  'accept-encoding': 'identity',
}

const conditions = (validators: Validators | undefined): Record<string, string> => ({
  ...(validators?.etag === undefined ? {} : { 'if-none-match': validators.etag }),
  ...(validators?.lastModified === undefined ? {} : { 'if-modified-since': validators.lastModified }),
})

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const GONE: ReadonlySet<number> = new Set([404, 410])
/** 203: a proxy on the way changed something, such as the quality. */
const GOOD: ReadonlySet<number> = new Set([200, 203])

async function answerOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  target: Target,
  ask: Exchange,
  stop: Stop,
): Promise<Answer> {
  const fault = (kind: Unseen['fault'], why: string) => unseen(kind, `${shown(target.url)}: ${why}`)
  if (statusCode === 304 && ask.validators !== undefined) {
    await body.dump()
    return { state: 'unchanged' }
  }
  const location = one(headers['location'])
  if (REDIRECTS.has(statusCode) && location !== undefined) return { state: 'moved', location }
  if (GONE.has(statusCode)) return fault('gone', `answered ${statusCode}`)
  if (!GOOD.has(statusCode)) return fault('unreachable', `answered ${statusCode}`)
  const coding = one(headers['content-encoding']) ?? ''
  if (PACKED.test(coding)) return fault('not-a-picture', 'the answer is packed, which was not asked for')
  const tooLarge = () => fault('too-large', `the picture has more than ${ask.maxBytes} bytes`)
  const said = Number(one(headers['content-length']) ?? 0)
  if (said > ask.maxBytes) return tooLarge()

  const holding = ask.held.open(() =>
    stop.end(fault('busy', 'too many large pictures are on their way; it gave way to the others')),
  )
  let before = 0
  let slow = 0
  const received = createBody(said)
  const pace = setInterval(() => {
    slow = received.length - before < LOOK_BYTES ? slow + 1 : 0
    if (slow === SLOW_LOOKS) stop.end(fault('timed-out', `fewer than ${LOOK_BYTES} bytes a second came`))
    before = received.length
  }, LOOK_MS)
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      // A length that was said may be a lie.
      if (received.length + chunk.length > ask.maxBytes) return tooLarge()
      holding.add(chunk.length)
      received.add(chunk)
    }
  } finally {
    clearInterval(pace)
    holding.close()
  }
  return { state: 'got', ...received.end(), validators: validatorsOf(headers) }
}

/** A header that was sent twice says nothing. */
const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Longer ones are kept by nobody. */
const ETAG = /^(W\/)?"[\x21\x23-\x7e]{0,200}"$/
const DATE = /^[A-Za-z0-9:, +-]{20,40}$/
/** A file may change twice in the second that a date can tell; RFC 7232 took a minute for clocks that differ. */
const SETTLED_MS = 60_000

function validatorsOf(headers: Dispatcher.ResponseData['headers']): Validators | undefined {
  const etag = one(headers['etag'])
  if (etag !== undefined && ETAG.test(etag)) return { etag }
  const lastModified = one(headers['last-modified'])
  if (lastModified === undefined || !DATE.test(lastModified)) return undefined
  const sent = Date.parse(one(headers['date']) ?? '')
  const age = (Number.isNaN(sent) ? Date.now() : sent) - Date.parse(lastModified)
  return age >= SETTLED_MS ? { lastModified } : undefined
}
