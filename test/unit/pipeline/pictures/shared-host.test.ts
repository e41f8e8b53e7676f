// Many sellers with their pictures at one host, some of whose paths are silent. Real: the source, the fetcher and HTTP on the loopback; the reader is made up.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHttpFetcher } from '../../../../src/adapters/images-http/fetcher.ts'
import type { Picture } from '../../../../src/imaging/picture.ts'
import { createPictureSource } from '../../../../src/pipeline/pictures/source.ts'
import { seenPicture } from '../../seen-picture.ts'

/** What a silent path costs; an honest picture comes within milliseconds, and on a busy machine within this. */
const TIME_MS = 1_500
const PER_HOST = 16

async function world(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const clock = { ahead: 0 }
  const fetcher = createHttpFetcher({
    hosts: undefined,
    ports: [port],
    privateNetworks: ['127.0.0.1'],
    maxBytes: 1 << 20,
    timeMs: TIME_MS,
    cacheBytes: 0,
    connections: 256,
    connectionsPerHost: PER_HOST,
    logger: pino({ level: 'silent' }),
    onResult: () => undefined,
    now: () => performance.now() + clock.ahead,
  })
  onTestFinished(async () => {
    await fetcher.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const source = createPictureSource({
    inline: fetcher,
    urls: fetcher,
    reader: {
      foresee: () => 0,
      read: (_bytes, sha256) => Promise.resolve(seenPicture(sha256)),
      keep: () => Promise.resolve(undefined),
    },
    budgetMs: TIME_MS,
    listingMs: 60_000,
    gettingAtOnce: 256,
    gettingPerHost: PER_HOST,
    bytesInHand: 1 << 24,
    bytesLately: 1 << 20,
    readingAtOnce: 2,
    dearAtOnce: 2,
    readingPerListing: 2,
    pixelsPerListing: Infinity,
    pixelsOf: () => 1,
    dearPixels: Infinity,
    readingMs: 10_000,
  })
  // The same URL is asked for once at a time: each picture has its own.
  let pictures = 0
  const looks = async (count: number, seller: (i: number) => string, path: string, images = 1) =>
    (
      await Promise.all(
        Array.from({ length: count }, (_, i) =>
          source.look(
            Array.from({ length: images }, () => ({ url: `http://127.0.0.1:${port}/${path}/${(pictures += 1)}.jpg` })),
            undefined,
            { sellerId: seller(i) },
          ),
        ),
      )
    ).flat()
  return { looks, paths, clock }
}

const howMany = (pictures: readonly Picture[], state: Picture['state']): number =>
  pictures.filter((picture) => picture.state === state).length

/** Silent to `/silent/…`; a body that never ends to `/slow/…`; 404 to `/gone/…`, and to its root; a picture to all else. */
const host = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
  if (url.startsWith('/silent')) return
  if (url.startsWith('/slow')) response.write('x')
  else if (url.startsWith('/gone') || url === '/') response.writeHead(404).end()
  else response.end('picture')
}

const sellers = (name: string) => (i: number) => `${name}-${i}`
const of = (name: string) => () => name

describe.each(['silent', 'slow', 'gone'])('a host of many sellers, some of whose paths are %s', (path) => {
  it('is nobody else’s business: 40 listings of one seller with 24 such pictures each, and honest ones before, beside and after', async () => {
    const { looks, paths } = await world(host)
    expect(howMany(await looks(5, sellers('known'), 'good'), 'seen')).toBe(5)
    const attack = looks(40, of('evil'), path, 24)
    const [known, strangers, attacked] = await Promise.all([
      looks(20, sellers('known'), 'good'),
      looks(20, sellers('new'), 'good', 3),
      attack,
    ])
    expect([howMany(known, 'seen'), howMany(strangers, 'seen'), howMany(attacked, 'seen')]).toEqual([20, 60, 0])
    expect(howMany(await looks(20, sellers('later'), 'good', 24), 'seen')).toBe(20 * 24)
    // What did not come costs its seller's next listings no time, and the host nothing.
    if (path === 'gone') return
    expect(paths.filter((one) => one.startsWith(`/${path}`)).length).toBeLessThan(8 + 2 * 24)
    expect(await looks(1, of('evil'), 'good')).toMatchObject([
      { fault: 'unreachable', message: expect.stringMatching(/this seller .* of late; asked for again in about/) },
    ])
  }, 30_000)
})

it('nor do sellers without end condemn it, who are tried again beside honest ones', async () => {
  const { looks } = await world(host)
  for (const round of ['first', 'again']) {
    const attack = looks(24, sellers('evil'), 'silent')
    const honest = await looks(20, sellers(`honest-${round}`), 'good')
    expect([round, howMany(honest, 'seen'), howMany(await attack, 'seen')]).toEqual([round, 20, 0])
  }
}, 30_000)

it('a host that is dead costs its listings one time limit together, and all that are tried again see it come back', async () => {
  let alive = false
  const { looks, paths, clock } = await world((request, response) => {
    if (alive) host(request, response)
  })
  expect(howMany(await looks(100, sellers('s'), 'good'), 'seen')).toBe(0)
  // Those that began together, and one question.
  expect(paths.filter((path) => path === '/')).toHaveLength(1)
  expect(paths.length).toBeLessThanOrEqual(PER_HOST + 1)
  alive = true
  expect(howMany(await looks(100, sellers('s'), 'good'), 'seen')).toBe(0)
  clock.ahead = 15_000
  expect(howMany(await looks(100, sellers('s'), 'good'), 'seen')).toBe(100)
}, 30_000)
