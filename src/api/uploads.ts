// Pictures on their way in over HTTP: few at once of each caller, and none that comes so slowly that it only holds a place.
import { Transform, type Readable } from 'node:stream'
import type { Caller } from '../domain/access.ts'
import { TouchstoneError } from '../errors.ts'
import { callerOf } from './access.ts'
import type { Api } from './services.ts'

/**
 * Each holds its body two or three times over, and taking it apart stops the event loop: a few at once, and no queue of them.
 * So many of rights holders together, and as many of the deployment's own people: neither keeps the other out, however
 * many keys there are.
 */
const OF_A_KIND = 6
/**
 * For one brand, whichever keys they come by, or of one other caller; the second only while fewer than half of all are
 * taken: one who has three brands, or four, leaves a place for others.
 */
const OF_ONE = 2
const HALF = OF_A_KIND / 2
/** A body may take 30 seconds of a rights holder, 80 of others; most take one or two. */
const TRY_AGAIN_SECONDS = { own: 1, kind: 5 } as const

interface Patience {
  readonly milliseconds: number
  readonly bytesPerSecond: number
  /** Of a rights holder no body takes longer, however fast it comes. */
  readonly mostMilliseconds: number
}

/**
 * A picture of 5 MB comes in the first time over any line; what takes longer must come as fast as a slow one sends, 2 Mbit/s.
 * The largest body comes in the second over a line of 8 Mbit/s.
 */
const PATIENCE: Patience = { milliseconds: 15_000, bytesPerSecond: 256 << 10, mostMilliseconds: 30_000 }

/** For all routes of the scope, behind the check of the caller and before the body is read. */
export function boundUploads(scope: Api, patience = PATIENCE): void {
  const places = { brand: createPlaces(), other: createPlaces() }
  scope.addHook('onRequest', async (request, reply) => {
    const caller = callerOf(request)
    const whose = whoseOf(caller)
    const kind = places[caller.role === 'brand' ? 'brand' : 'other']
    const most = kind.all() < HALF ? OF_ONE : 1
    if (whose.some((one) => kind.of(one) >= most)) {
      void reply.header('retry-after', TRY_AGAIN_SECONDS.own)
      throw new TouchstoneError('rate-limited', `pictures of this caller are being added already: ${most}`)
    }
    if (kind.all() >= OF_A_KIND) {
      void reply.header('retry-after', TRY_AGAIN_SECONDS.kind)
      throw new TouchstoneError('not-ready', `${OF_A_KIND} pictures of such callers are being added already`)
    }
    kind.count(whose, 1)
    // Whatever becomes of it, the caller's going away too.
    reply.raw.once('close', () => kind.count(whose, -1))
  })
  scope.addHook('preParsing', async (request, reply, body) => {
    const mostMs = callerOf(request).role === 'brand' ? patience.mostMilliseconds : Infinity
    // What is still to come is nobody's any more; it is read for a while, so that the caller gets to the answer.
    const passed = hurried(
      body,
      { ...patience, mostMilliseconds: mostMs },
      () => void reply.header('connection', 'close'),
    )
    reply.raw.once('finish', () => {
      passed.destroy()
      // Answered before it was read, as a type that is not taken is: the rest is thrown away, as for other routes.
      body.unpipe(passed).resume()
    })
    return passed
  })
}

/** Keys that share a brand are of one rights holder, as far as that brand goes. */
const whoseOf = ({ role, subject, brandIds }: Caller): readonly string[] =>
  role === 'brand' && brandIds.length > 0 ? [...new Set(brandIds)] : [subject]

function createPlaces() {
  const taken = new Map<string, number>()
  let all = 0
  const of = (who: string): number => taken.get(who) ?? 0
  return {
    all: () => all,
    of,
    count(whose: readonly string[], by: 1 | -1): void {
      all += by
      for (const who of whose) {
        const own = of(who) + by
        if (own > 0) taken.set(who, own)
        else taken.delete(who)
      }
    },
  }
}

/** The same bytes; they end with `slow-body` when fewer have come than patience allows, or not all in all of its time. */
function hurried(
  body: Readable,
  { milliseconds, bytesPerSecond, mostMilliseconds }: Patience,
  onSlow: () => void,
): Transform {
  const began = performance.now()
  let bytes = 0
  const passed = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length
      done(null, chunk)
    },
  })
  const look = (): void => {
    const seconds = (performance.now() - began) / 1_000
    if (bytes >= seconds * bytesPerSecond && seconds * 1_000 < mostMilliseconds) return
    onSlow()
    passed.destroy(
      new TouchstoneError(
        'slow-body',
        `${bytes} bytes of the body came in ${seconds.toFixed(0)} seconds, and longer it is not waited for`,
      ),
    )
  }
  let timer = setTimeout(() => {
    look()
    timer = setInterval(look, 1_000)
    if (passed.destroyed) clearInterval(timer)
  }, milliseconds)
  const hungUp = (): void => {
    if (!body.readableEnded) passed.destroy(new Error('the body ended early'))
  }
  // Who does not read it, because of its type or length, does not listen either: unheard, an error would end the process.
  passed.on('error', () => undefined)
  passed.once('close', () => {
    clearTimeout(timer)
    body.off('close', hungUp)
    body.unpipe(passed)
  })
  body.once('close', hungUp)
  return body.pipe(passed)
}
