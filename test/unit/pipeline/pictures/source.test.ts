// Pictures of many listings at once while hosts are dead or slow. Real: the source and its turns; made up: hosts and reader.
import { describe, expect, it } from 'vitest'
import type { Got, ImageReference, PictureFetcher, PictureReader } from '../../../../src/pipeline/pictures/ports.ts'
import { createPictureSource, type PictureSourceOptions } from '../../../../src/pipeline/pictures/source.ts'
import { seenPicture as seen } from '../../seen-picture.ts'

const got = (sha256: string): Got => ({ state: 'got', bytes: new Uint8Array(3), sha256 })
const url = (name: string): ImageReference => ({ url: `https://${name}.example/1.jpg` })

/** Answers only when nobody waits any more, as a host does that takes connections and says nothing. */
const never = (until: AbortSignal): Promise<Got> =>
  new Promise((resolve) => {
    const end = () => resolve({ state: 'unseen', fault: 'timed-out', message: 'silent' })
    if (until.aborted) end()
    else until.addEventListener('abort', end, { once: true })
  })
const hostOf = (image: ImageReference): string => new URL(image.url ?? 'https://none').hostname.split('.')[0] ?? ''
const fetcher: PictureFetcher = {
  get: (image, until) => (hostOf(image).startsWith('dead') ? never(until) : Promise.resolve(got(hostOf(image)))),
}
const reader: PictureReader = {
  foresee: () => 0,
  read: (_bytes, sha256) => Promise.resolve(seen(sha256)),
  keep: (_bytes, sha256) =>
    Promise.resolve({
      sha256,
      hash: '',
      quality: 100,
      blank: false,
      forms: [],
      variants: [],
      width: 1,
      height: 1,
      body: new Uint8Array([1]),
    }),
}
const sourceOf = (more: Partial<PictureSourceOptions> = {}) =>
  createPictureSource({
    inline: { get: (image) => Promise.resolve(got(`inline-${image.data}`)) },
    urls: fetcher,
    reader,
    budgetMs: 60,
    gettingAtOnce: 8,
    gettingPerHost: 8,
    bytesInHand: 1 << 20,
    bytesLately: 1 << 20,
    readingAtOnce: 2,
    readingPerListing: 2,
    pixelsPerListing: Infinity,
    pixelsOf: () => 1,
    listingMs: 60_000,
    dearAtOnce: 100,
    dearPixels: Infinity,
    readingMs: 10_000,
    ...more,
  })
const stateOf = (pictures: readonly { state: string }[]) => pictures.map((picture) => picture.state)

describe('the pictures of a listing', () => {
  it('take the time limit of the listing and no more, however many come from a dead host', async () => {
    const source = sourceOf()
    const begun = performance.now()
    const pictures = await source.look([...Array.from({ length: 20 }, () => url('dead')), url('alive')])
    expect(performance.now() - begun).toBeLessThan(600)
    expect(stateOf(pictures)).toEqual([...Array.from({ length: 20 }, () => 'unseen'), 'seen'])
    // All turns came back.
    expect(stateOf(await source.look(Array.from({ length: 8 }, () => url('alive'))))).not.toContain('unseen')
  })

  it('have a whole time limit for themselves, also behind others that used theirs up', async () => {
    const source = sourceOf({ budgetMs: 80, gettingAtOnce: 1 })
    const slow: PictureFetcher['get'] = async (image, until) => {
      if (hostOf(image) === 'dead') return await never(until)
      await new Promise((resolve) => setTimeout(resolve, 40))
      return until.aborted ? { state: 'unseen', fault: 'timed-out', message: '' } : got('late')
    }
    const behind = sourceOf({ budgetMs: 80, gettingAtOnce: 1, urls: { get: slow } })
    const [first, second] = await Promise.all([behind.look([url('dead')]), behind.look([url('alive')])])
    expect([...stateOf(first), ...stateOf(second)]).toEqual(['unseen', 'seen'])
    expect(await source.look([])).toEqual([])
  })

  it('of many listings are waited for together, but not all: 500 with dead hosts take a few time limits, not 500', async () => {
    let inside = 0
    let most = 0
    const urls: PictureFetcher = {
      async get(_image, until) {
        most = Math.max(most, (inside += 1))
        const answer = await never(until)
        inside -= 1
        return answer
      },
    }
    const source = sourceOf({ budgetMs: 50, gettingAtOnce: 64, urls })
    const begun = performance.now()
    const all = await Promise.all(Array.from({ length: 500 }, (_, i) => source.look([url(`dead-${i}`)])))
    const took = performance.now() - begun
    expect(new Set(all.flatMap(stateOf))).toEqual(new Set(['unseen']))
    // Eleven rounds of 50 ms; one after the other they would take 25 s.
    expect(took).toBeLessThan(2_000)
    // A quarter of all is not for hosts that never brought anything.
    expect(most).toBe(48)
  })

  it('do not wait for the dead host of 200 other listings, nor for endless dead hosts once theirs has delivered', async () => {
    const source = sourceOf({ budgetMs: 1_000, gettingAtOnce: 64, gettingPerHost: 16 })
    const dead = Array.from({ length: 200 }, () => source.look([url('dead')]))
    const timed = async () => {
      const begun = performance.now()
      expect(stateOf(await source.look([url('alive')]))).toEqual(['seen'])
      return performance.now() - begun
    }
    expect(await timed()).toBeLessThan(500)
    dead.push(...Array.from({ length: 200 }, (_, i) => source.look([url(`dead-${i}`)])))
    expect(await timed()).toBeLessThan(500)
    expect(new Set((await Promise.all(dead)).flatMap(stateOf))).toEqual(new Set(['unseen']))
  }, 30_000)

  it('hold no place with hosts while they wait for a thread, and too many bytes are not held at all', async () => {
    const gate = Promise.withResolvers<void>()
    const stuck: PictureReader['read'] = (_bytes, sha256) => gate.promise.then(() => seen(sha256))
    const large: PictureFetcher = {
      get: (image) => Promise.resolve({ state: 'got', bytes: new Uint8Array(400 << 10), sha256: hostOf(image) }),
    }
    const held = sourceOf({ gettingAtOnce: 1, reader: { ...reader, read: stuck }, urls: large })
    const first = held.look([url('a')])
    const second = held.look([url('b'), url('c'), url('d')])
    await new Promise((resolve) => setTimeout(resolve, 20))
    // Half of the bound is held: the next one is not even asked for.
    const third = held.look([url('e')])
    await new Promise((resolve) => setTimeout(resolve, 20))
    gate.resolve()
    expect(stateOf(await first)).toEqual(['seen'])
    expect(await second).toMatchObject([
      { state: 'seen' },
      { state: 'unseen', fault: 'busy' },
      { state: 'unseen', fault: 'busy' },
    ])
    expect(stateOf(await third)).toEqual(['seen'])
  })

  it('do not wait behind endless dead hosts of one name, also where theirs never brought anything', async () => {
    const budgetMs = 300
    const source = sourceOf({ budgetMs, gettingAtOnce: 256, gettingPerHost: 16 })
    const dead = Array.from({ length: 40 }, (_, listing) =>
      source.look(Array.from({ length: 100 }, (_, i) => ({ url: `https://dead-${listing}-${i}.evil.example/1.jpg` }))),
    )
    const begun = performance.now()
    expect(stateOf(await source.look([url('alive')]))).toEqual(['seen'])
    expect(performance.now() - begun).toBeLessThan(budgetMs)
    expect(dead).toHaveLength(40)
  })

  it('are seen or not within a time of their listing, whatever they wait for: a host, a turn, a thread or somebody else', async () => {
    const listingMs = 100
    const stuck = {
      listingMs,
      budgetMs: 60_000,
      reader: { ...reader, read: () => new Promise<never>(() => undefined) },
    }
    const source = sourceOf({ ...stuck, gettingAtOnce: 1, readingAtOnce: 1, readingPerListing: 1 })
    const begun = performance.now()
    const all = await Promise.all([
      // The host; a turn with hosts.
      source.look([url('dead-1'), url('dead-1')]),
      source.look([url('dead-2')], AbortSignal.timeout(listingMs / 2)),
      // The thread; the listing's own turn; a turn with threads; the same bytes, which somebody else reads.
      source.look([{ data: '1' }, { data: '2' }]),
      source.look([{ data: '3' }]),
      source.look([{ data: '1' }]),
    ])
    all.push(await sourceOf(stuck).look([url('alive'), url('dead-1')]))
    expect(performance.now() - begun).toBeLessThan(10 * listingMs)
    // Of their hosts, or our own.
    const faults = all.map((pictures) => pictures.map((one) => one.state === 'unseen' && one.fault))
    const silent = ['timed-out', 'timed-out']
    expect(faults).toEqual([silent, ['busy'], ['busy', 'busy'], ['busy'], ['busy'], ['busy', 'timed-out']])
    const alive = sourceOf({ listingMs, gettingAtOnce: 1 })
    await Promise.all([alive.look([url('dead-1')]), alive.look([url('dead-2')])])
    // Who left took nothing along.
    expect(stateOf(await alive.look([url('alive'), { data: '1' }]))).toEqual(['seen', 'seen'])
  })

  it('of one listing are read until they have the pixels that one may have, also where they are broken', async () => {
    const source = sourceOf({ pixelsPerListing: 100, pixelsOf: () => 40, readingPerListing: 1 })
    const look = (count: number, what: string) =>
      source.look(Array.from({ length: count }, (_, i) => ({ data: `${what}-${i}` })))
    expect(stateOf(await look(3, 'a'))).toEqual(['seen', 'seen', 'seen'])
    const pictures = await look(5, 'b')
    expect(stateOf(pictures)).toEqual(['seen', 'seen', 'seen', 'unseen', 'unseen'])
    expect(pictures[4]).toMatchObject({ fault: 'too-many-pixels' })
    // Read before, by others or for it: that is not for the asking, or who asks again would learn more.
    expect(stateOf(await look(5, 'b'))).toEqual(['seen', 'seen', 'seen', 'unseen', 'unseen'])

    const broken: PictureReader['read'] = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return { state: 'unseen', fault: 'not-a-picture', message: '' }
    }
    const slow = sourceOf({ pixelsPerListing: 1_000_000, readingPerListing: 1, reader: { ...reader, read: broken } })
    const faults = (await slow.look([{ data: '1' }, { data: '2' }, { data: '3' }])).map((p) => 'fault' in p && p.fault)
    expect([faults[0], faults[2]]).toEqual(['not-a-picture', 'too-many-pixels'])
  })

  it('are given up when nobody waits any more', async () => {
    const stop = new AbortController()
    const looking = sourceOf({ budgetMs: 60_000 }).look([url('dead')], stop.signal)
    stop.abort()
    expect(stateOf(await looking)).toEqual(['unseen'])
    expect(stateOf(await sourceOf({ budgetMs: 60_000 }).look([url('dead')], AbortSignal.abort()))).toEqual(['unseen'])
  })

  it('are read a few at a time, and the same bytes once', async () => {
    let inside = 0
    let most = 0
    let reads = 0
    const counting: PictureReader['read'] = async (_bytes, sha256) => {
      reads += 1
      most = Math.max(most, (inside += 1))
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      return seen(sha256)
    }
    const source = sourceOf({ reader: { ...reader, read: counting } })
    await source.look(Array.from({ length: 8 }, (_, i) => url(`alive-${i}`)))
    expect([most, reads]).toEqual([2, 8])
    await source.look([url('alive-3'), url('alive-9')])
    expect(reads).toBe(9)
  })

  it.each(['too-slow', 'busy', 'timed-out', 'dear'] as const)(
    'of one listing take turns with those of others; where the first was %s, the rest goes one by one',
    async (fault) => {
      const begun: string[] = []
      const open = new Map<string, () => void>()
      const asked = async (sha256: string) => {
        while (!open.has(sha256)) await new Promise((resolve) => setImmediate(resolve))
        open.get(sha256)?.()
      }
      const slow: PictureReader['read'] = (_bytes, sha256) => {
        begun.push(sha256)
        return new Promise((resolve) => {
          const picture =
            sha256 === 'inline-0' && fault !== 'dear' ? { state: 'unseen' as const, fault, message: '' } : seen(sha256)
          open.set(sha256, () => resolve(picture))
        })
      }
      const source = sourceOf({
        reader: { ...reader, read: slow },
        readingAtOnce: 100,
        readingPerListing: 2,
        dearPixels: 2,
        pixelsOf: ({ sha256 }) => (fault === 'dear' && sha256 === 'inline-0' ? 2 : 1),
      })
      const many = source.look(Array.from({ length: 5 }, (_, i) => ({ data: String(i) })))
      await new Promise((resolve) => setImmediate(resolve))
      expect(begun).toEqual(['inline-0'])
      const honest = source.look([{ data: 'honest' }])
      await asked('inline-honest')
      expect(stateOf(await honest)).toEqual(['seen'])
      expect(begun).toEqual(['inline-0', 'inline-honest'])

      await asked('inline-0')
      await new Promise((resolve) => setImmediate(resolve))
      expect(begun).toEqual(['inline-0', 'inline-honest', 'inline-1'])
      for (const [i, more] of [1, 2, 3, 4].entries()) {
        await asked(`inline-${more}`)
        await new Promise((resolve) => setImmediate(resolve))
        expect(begun).toHaveLength(Math.min(4 + i, 6))
      }
      expect(stateOf(await many).slice(1)).toEqual(['seen', 'seen', 'seen', 'seen'])
    },
  )

  it('come from the listing where it carries them, and from nowhere else where URLs are not followed', async () => {
    const results: string[] = []
    const source = sourceOf({ urls: undefined, onResult: (result) => results.push(result) })
    const pictures = await source.look([{ data: 'QUJD', url: 'https://dead.example/1.jpg' }, url('alive')])
    expect(pictures).toMatchObject([
      { state: 'seen', sha256: 'inline-QUJD' },
      { state: 'unseen', fault: 'not-fetched' },
    ])
    expect(results).toEqual(['seen', 'not-fetched'])
  })

  it('are kept only as what they were when they were judged', async () => {
    const asked: (string | undefined)[] = []
    const binding: PictureFetcher = {
      get(image) {
        asked.push(image.sha256)
        return Promise.resolve(
          image.sha256 === 'now' ? got('now') : { state: 'unseen', fault: 'hash-differs', message: '' },
        )
      },
    }
    const source = sourceOf({ urls: binding })
    expect(await source.keep(url('shop'), seen('now'))).toMatchObject({ sha256: 'now' })
    expect(await source.keep(url('shop'), seen('before'))).toBeUndefined()
    expect(asked).toEqual(['now', 'before'])
  })
})
