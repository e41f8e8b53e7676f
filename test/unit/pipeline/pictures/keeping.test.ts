// Which pictures are kept before a batch is committed. Real: the choice; made up: the store and the pictures.
import { describe, expect, it } from 'vitest'
import type { KeptPicture } from '../../../../src/domain/kept-picture.ts'
import type { Outcome } from '../../../../src/domain/policy.ts'
import type { Picture } from '../../../../src/imaging/picture.ts'
import { createDraw } from '../../../../src/pipeline/audit.ts'
import { decisionId } from '../../../../src/pipeline/ids.ts'
import { keepPictures, type Judged } from '../../../../src/pipeline/pictures/keeping.ts'
import type { Glance, PictureSource, PictureStore, ShownSet } from '../../../../src/pipeline/pictures/ports.ts'
import { assessment, listingOf } from '../assessments.ts'
import { seenPicture as seen } from '../../seen-picture.ts'

const draw = createDraw('of this store')

const unseen: Picture = { state: 'unseen', fault: 'gone', message: '' }
const keptOf = (sha256: string): KeptPicture => ({
  sha256,
  hash: '',
  quality: 100,
  blank: false,
  forms: [],
  variants: [],
  width: 1,
  height: 1,
  body: new Uint8Array(),
})
function judged(listingId: string, outcome: Outcome, pictures: readonly Picture[], share = 0): Judged {
  const base = assessment(outcome)
  return {
    listing: {
      ...listingOf(listingId, 1),
      images: pictures.map((_, i) => ({ url: `https://a.example/${listingId}/${i}` })),
    },
    assessment: { ...base, answer: { ...base.answer, audit: { share, dueSeconds: 1 } }, pictures },
  }
}
async function keep(
  all: Judged[],
  world: {
    before?: Record<string, Glance>
    known?: string[]
    gone?: string[]
    goneAt?: string[]
    /** Come when they are told to give up, and not before: when all of them were asked for. */
    slow?: string[]
    /** The time is over when so many were asked for beyond the first dozens. */
    mostSmall?: number
  } = {},
) {
  const encoded: string[] = []
  const small: string[] = []
  const over = new AbortController()
  let asleep = 0
  let inHand = 0
  let mostInHand = 0
  const put: string[] = []
  const asked: string[][] = []
  const glances: string[][] = []
  const noted: ShownSet[] = []
  const source: PictureSource = {
    look: () => Promise.reject(new Error('everything was looked at')),
    async keep({ url }, { sha256 }, { size, until } = {}) {
      encoded.push(sha256)
      if (size === 'small' && small.push(sha256) === world.mostSmall) over.abort()
      if (world.slow?.includes(sha256) === true)
        return await new Promise((resolve) => {
          until?.addEventListener('abort', () => resolve(undefined))
          if (++asleep === world.slow?.length) over.abort()
        })
      inHand += 1
      mostInHand = Math.max(mostInHand, inHand)
      const isGone =
        world.gone?.includes(sha256) === true || world.goneAt?.some((id) => url?.includes(`/${id}/`)) === true
      return isGone ? undefined : keptOf(sha256)
    },
  }
  const store: PictureStore = {
    known(sha256s) {
      asked.push([...sha256s])
      return Promise.resolve(new Set(sha256s.filter((one) => world.known?.includes(one) === true)))
    },
    put(pictures) {
      put.push(...pictures.map((one) => one.sha256))
      inHand -= pictures.length
      return Promise.resolve()
    },
    noteShown(sets) {
      noted.push(...sets)
      return Promise.resolve()
    },
    glance(ids) {
      glances.push([...ids])
      return Promise.resolve(new Map(Object.entries(world.before ?? {})))
    },
    standIns: () => Promise.resolve(new Map()),
    prune: () => Promise.resolve(0),
  }
  const keepsakes = await keepPictures(all, source, store, draw, () => over.signal)
  const told = all.map((one) => keepsakes.get(one))
  return {
    kept: told.map((one) => one?.kept),
    isLacking: told.map((one) => one?.isLacking),
    shown: told.map((one) => one?.shown),
    encoded,
    small,
    mostInHand,
    put,
    asked,
    glances,
    noted,
  }
}

describe('pictures are kept', () => {
  it('by hash of every listing, whatever is decided: what is seen of each, blank pictures aside', async () => {
    const of = (digit: string) => ({
      ...seen(digit),
      hash: { bytes: Buffer.from(digit.repeat(64), 'hex'), quality: 90 },
    })
    const { noted, shown } = await keep([
      judged('held', 'hold', [of('a'), { ...of('b'), blank: true }, unseen, of('1'), of('a')]),
      judged('allowed', 'allow', [of('c')]),
      judged('the same', 'allow', [of('1'), of('a')]),
      judged('blank', 'allow', [{ ...of('b'), blank: true }]),
      judged('unseen', 'allow', [unseen]),
    ])
    expect(noted.map(({ listingId, hashes }) => [listingId, hashes.map((hash) => hash[0]).join()])).toEqual([
      ['held', '1,a'],
      ['allowed', 'c'],
      ['the same', '1,a'],
    ])
    // Decisions name it by what it is.
    expect(shown).toEqual([...noted.map(({ digest }) => digest), undefined, undefined])
    expect([shown[0] === shown[2], shown[0] === shown[1]]).toEqual([true, false])
  })

  it('of what is stopped, and not of what goes on sale', async () => {
    const { kept, put } = await keep([
      judged('held', 'hold', [seen('a')]),
      judged('blocked', 'block', [seen('b')]),
      judged('allowed', 'allow', [seen('c')]),
    ])
    expect(put.toSorted()).toEqual(['a', 'b'])
    expect(kept).toEqual([
      [{ ordinal: 0, sha256: 'a', whole: true }],
      [{ ordinal: 0, sha256: 'b', whole: true }],
      undefined,
    ])
  })

  const about = { name: 'image-hash', version: '1', state: 'scored', score: 1, contribution: 1, durationMs: 1 } as const
  /** Of thirty pictures the twenty-first is evidence. */
  function thirty(listingId: string): Judged {
    const pictures = Array.from({ length: 30 }, (_, i) => seen(`${listingId}${i}`))
    const plain = judged(listingId, 'hold', pictures)
    const { risk } = plain.assessment
    const evidence = { matches: [{ image: 20, sha256: `${listingId}20`, bankId: 'fakes', kind: 'counterfeit' }] }
    return { ...plain, assessment: { ...plain.assessment, risk: { ...risk, signals: [{ ...about, evidence }] } } }
  }
  const rest = (listingId: string) =>
    Array.from({ length: 30 }, (_, i) => `${listingId}${i}`)
      .slice(11)
      .filter((_, i) => i !== 9)
  const first = (listingId: string) => [20, ...Array.from({ length: 11 }, (_, i) => i)].map((i) => `${listingId}${i}`)

  it('all that were judged, a dozen at once; those that are evidence before all others, and beyond the first dozen small', async () => {
    const { kept, encoded, small, mostInHand } = await keep([thirty('a')])
    expect(kept[0]?.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, i) => i),
    )
    expect(encoded.slice(0, 12)).toEqual(first('a'))
    expect(small).toEqual(encoded.slice(12))
    expect(mostInHand).toBe(12)
  })

  it('beyond the first dozen of each listing only in time, and what one has in hand is given up then', async () => {
    const slow = ['a12', 'b29']
    const { kept, encoded, isLacking } = await keep([thirty('a'), thirty('b')], { slow })
    const of = kept.map((one) => one?.map(({ sha256 }) => sha256))
    // The first lot of the rest waits for its slow one to the end, with what came beside it; the next is not begun.
    expect(of[0]).toEqual([
      ...first('a'),
      ...rest('a')
        .slice(0, 12)
        .filter((one) => one !== 'a12'),
    ])
    expect(encoded).not.toContain('a24')
    expect(of[1]).toEqual([...first('b'), ...rest('b').filter((one) => one !== 'b29')])
    // Both are kept whole when they are tried again, as long as what came in its listing still lies beside it.
    expect(isLacking).toEqual([true, true])
    const inline = { ...thirty('c').listing, images: thirty('c').listing.images?.map(() => ({ data: 'QUJD' })) ?? [] }
    const gone = { ...inline, images: inline.images.map(() => ({})) }
    expect((await keep([{ ...thirty('c'), listing: inline }], { gone: ['c12'] })).isLacking).toEqual([true])
    const others = await keep([{ ...thirty('c'), listing: gone }, thirty('d')], { gone: ['c12'] })
    expect(others.kept.map((one) => one?.length)).toEqual([29, 30])
    expect(others.isLacking).toEqual([false, false])
  })

  it('beyond the first dozen a lot of each listing in turn, of those with the fewest first: floods leave time for the others', async () => {
    const listing = (id: string, count: number) =>
      judged(
        id,
        'hold',
        Array.from({ length: count }, (_, i) => seen(`${id}-${i}`)),
      )
    const floods = Array.from({ length: 8 }, (_, i) => listing(`flood${i}`, 100))
    const all = [...floods, listing('some', 40), listing('few', 13)]
    const { kept, small } = await keep(all, { mostSmall: 1 + 9 * 12 })
    expect(kept.map((one) => one?.length)).toEqual([...floods.map(() => 24), 24, 13])
    expect(small.slice(0, 13)).toEqual(['few-12', ...Array.from({ length: 12 }, (_, i) => `some-${i + 12}`)])
    // Whose turn comes when the time is over begins nothing.
    expect((await keep(all, { mostSmall: 1 })).small).toEqual(['few-12'])
  })

  it('of an edit that is held because its predecessor was, and of a sample that goes on', async () => {
    const before = {
      edited: { outcome: 'block' as const, sequence: 3, caseId: null },
      sampled: { outcome: 'allow' as const, sequence: 1, caseId: 'C' },
      fine: { outcome: 'allow' as const, sequence: 1, caseId: null },
    }
    const all = Object.keys(before).map((id) => judged(id, 'allow', [seen(id)]))
    const { put, glances } = await keep([...all, judged('held', 'hold', [seen('h')])], { before })
    expect(put.toSorted()).toEqual(['edited', 'h', 'sampled'])
    // One question for the whole batch, and none about what is kept in any case.
    expect(glances).toEqual([['edited', 'sampled', 'fine']])
  })

  it('of what will be drawn for the audit, as the decision itself will find', async () => {
    const all = Array.from({ length: 60 }, (_, i) => judged(`L-${i}`, 'allow', [seen(`p-${i}`)], 0.3))
    const before = { 'L-0': { outcome: 'allow' as const, sequence: 4, caseId: null } }
    const { put } = await keep(all, { before })
    const drawn = all.filter((_, i) => draw(decisionId(`L-${i}`, 1, i === 0 ? 5 : 1), 0.3))
    expect(put.toSorted()).toEqual(drawn.map(({ listing }) => listing.listingId.replace('L', 'p')).toSorted())
    expect(put.length).toBeGreaterThan(5)
  })

  it('once each, in their places, and not what cannot be had any more', async () => {
    const many = [unseen, ...Array.from({ length: 13 }, (_, i) => seen(`p${i % 6}`))]
    const { kept, encoded } = await keep([judged('many', 'hold', many)], { known: ['p1'], gone: ['p2'] })
    expect(encoded.toSorted()).toEqual(['p0', 'p2', 'p3', 'p4', 'p5'])
    expect(kept[0]?.map(({ ordinal }) => ordinal)).toEqual([1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13])
  })

  it('that several listings show encoded once, and asked for once; what one could not get the next tries', async () => {
    const all = ['a', 'b', 'c'].map((id) => judged(id, 'hold', [seen('same'), seen('lost'), seen(id)]))
    const { kept, encoded, put, asked } = await keep(all, { gone: ['lost'] })
    expect(encoded.toSorted()).toEqual(['a', 'b', 'c', 'lost', 'lost', 'lost', 'same'])
    expect(put.toSorted()).toEqual(['a', 'b', 'c', 'same'])
    expect(asked.map((one) => one.toSorted())).toEqual([['a', 'b', 'c', 'lost', 'same']])
    expect(kept.map((one) => one?.map(({ sha256 }) => sha256))).toEqual([
      ['same', 'a'],
      ['same', 'b'],
      ['same', 'c'],
    ])
  })

  it('that another listing put into the store, whoever tried in vain at the same time', async () => {
    const all = ['a', 'b', 'c'].map((id) => judged(id, 'hold', [seen('same')]))
    const { kept, put } = await keep(all, { goneAt: ['a', 'c'] })
    expect(put).toEqual(['same'])
    expect(kept).toEqual(all.map(() => [{ ordinal: 0, sha256: 'same', whole: true }]))
  })

  it('by asking nobody where nothing was seen', async () => {
    const { glances, encoded } = await keep([judged('a', 'allow', [unseen]), judged('b', 'hold', [])])
    expect([glances, encoded]).toEqual([[], []])
  })

  it('saying of an animation that what is kept is not all of it, and so of what browsers show otherwise', async () => {
    const { hash, variants } = seen('frame')
    const moving = { ...seen('a'), frames: [{ hash, variants, blank: false }] }
    const parts = [
      { ...seen('b'), unseenFrames: true as const },
      { ...seen('d'), shownOtherwise: true as const },
      { ...seen('e'), damaged: true as const, unseenPart: true as const },
    ]
    const { kept } = await keep([judged('held', 'hold', [moving, ...parts, seen('c')])])
    expect(kept[0]?.map((one) => one.whole)).toEqual([false, false, false, false, true])
  })
})
