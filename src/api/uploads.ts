// Pictures on their way in over HTTP: few at once of each caller, and none that comes so slowly that it only holds a place.
import { Transform, type Readable } from 'node:stream'
import { TouchstoneError } from '../errors.ts'
import { callerOf } from './access.ts'
import type { Api } from './services.ts'

/** Each holds its body two or three times over, and taking it apart stops the event loop: a few at once, and no queue of them. */
const AT_ONCE = 12
/** Of one caller, who leaves the others to others. */
const OF_ONE = 3

/** A picture of 5 MB comes in that time over any line; what takes longer must come as fast as a slow one sends, 2 Mbit/s. */
const PATIENCE = { milliseconds: 15_000, bytesPerSecond: 256 << 10 }

/** For all routes of the scope, behind the check of the caller and before the body is read. */
export function boundUploads(scope: Api, patience = PATIENCE): void {
  const uploads = new Map<string, number>()
  let all = 0
  const count = (subject: string, by: 1 | -1): void => {
    all += by
    const own = (uploads.get(subject) ?? 0) + by
    if (own > 0) uploads.set(subject, own)
    else uploads.delete(subject)
  }
  scope.addHook('onRequest', async (request, reply) => {
    const { subject } = callerOf(request)
    if ((uploads.get(subject) ?? 0) >= OF_ONE) {
      void reply.header('retry-after', 1)
      throw new TouchstoneError('rate-limited', `${OF_ONE} pictures of this caller are being added already`)
    }
    if (all >= AT_ONCE) throw new TouchstoneError('not-ready', `${AT_ONCE} pictures are being added already`)
    count(subject, 1)
    // Whatever becomes of it, the caller's going away too.
    reply.raw.once('close', () => count(subject, -1))
  })
  scope.addHook('preParsing', async (request, reply, body) =>
    hurried(body, patience, () => {
      // What is still to come is nobody's any more.
      void reply.header('connection', 'close')
      reply.raw.once('finish', () => request.raw.destroy())
    }),
  )
}

/** The same bytes; they end with `slow-body` when fewer have come than patience allows. */
function hurried(body: Readable, { milliseconds, bytesPerSecond }: typeof PATIENCE, onSlow: () => void): Readable {
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
    if (bytes >= seconds * bytesPerSecond) return
    onSlow()
    passed.destroy(
      new TouchstoneError(
        'slow-body',
        `${bytes} bytes of the body came in ${seconds.toFixed(0)} seconds, and then no more`,
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
  passed.once('close', () => {
    clearTimeout(timer)
    body.off('close', hungUp)
    body.unpipe(passed)
  })
  body.once('close', hungUp)
  return body.pipe(passed)
}
