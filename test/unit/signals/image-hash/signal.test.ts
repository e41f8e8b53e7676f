// What the detector of known pictures scores beyond its own examples. Real: the detector; made up: banks and pictures.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brandSchema } from '../../../../src/domain/brand.ts'
import type { BankKind } from '../../../../src/domain/bank.ts'
import type { Picture, PictureFault, SeenPicture } from '../../../../src/imaging/picture.ts'
import { LASTING_FAULTS, LATE_FAULTS, PASSING_FAULTS } from '../../../../src/imaging/picture.ts'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { counterfeitScore, imageHash } from '../../../../src/signals/image-hash/signal.ts'
import type { SignalContext } from '../../../../src/signals/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'
import { seenPicture as seen } from '../../seen-picture.ts'

const unseen = (fault: PictureFault): Picture => ({ state: 'unseen', fault, message: 'why' })
const match = (kind: BankKind, distance = 0, more: Partial<BankMatch> = {}): BankMatch => ({
  bankId: kind,
  kind,
  imageId: 'i',
  brandId: 'nord',
  distance,
  variant: 0,
  form: 'whole',
  source: { kind: 'import' },
  ...more,
})
const brands = new Map([['nord', brandSchema.parse({ brandId: 'nord', name: 'Nord', authorisedSellers: ['friend'] })]])

function asked(
  pictures: readonly Picture[],
  known: Readonly<Record<string, readonly BankMatch[]>> | ((picture: SeenPicture) => readonly BankMatch[]) = {},
  options: { sellerId?: string; size?: number; brandIds?: string[]; noBanks?: boolean } = {},
) {
  const { sellerId = 'stranger', size = 5, brandIds = [], noBanks = false } = options
  const empty = normalise('')
  const context: SignalContext = {
    reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds },
    brand: (id) => brands.get(id),
    kind: undefined,
    usdPer: () => undefined,
    pictures,
    banks: noBanks
      ? undefined
      : { size, change: 1n, match: typeof known === 'function' ? known : ({ sha256 }) => known[sha256] ?? [] },
    textModel: undefined,
  }
  return { listing: { listingId: 'L', revision: 1, sellerId, title: 'T' }, context }
}
function look(...given: Parameters<typeof asked>) {
  const { listing, context } = asked(...given)
  const found = imageHash.evaluate(listing, context)
  if (found instanceof Promise) throw new Error('it needs no time')
  return found
}
async function lookForLong(...given: Parameters<typeof asked>) {
  const { listing, context } = asked(...given)
  return imageHash.evaluate(listing, context)
}
const scoreOf = (finding: ReturnType<typeof look>) => (finding.state === 'scored' ? finding.score : finding.state)

describe('image-hash', () => {
  it('has failed when a picture was not seen for any reason, except that nobody wanted URLs followed', () => {
    for (const fault of [...LASTING_FAULTS, ...LATE_FAULTS, ...PASSING_FAULTS]) {
      const finding = look([seen('a'), unseen(fault)])
      expect([fault, finding.state]).toEqual([fault, fault === 'not-fetched' ? 'abstained' : 'failed'])
    }
    expect(look([unseen('gone'), seen('a'), unseen('busy')]).evidence).toMatchObject({
      unseen: [
        { image: 0, fault: 'gone' },
        { image: 2, fault: 'busy' },
      ],
    })
  })

  it('says of a match beside a picture that was not seen that it is of a part, whatever kind it is', () => {
    const known = Object.fromEntries((['logo', 'genuine', 'counterfeit'] as const).map((kind) => [kind, [match(kind)]]))
    for (const kind of Object.keys(known))
      for (const fault of [...LASTING_FAULTS, ...LATE_FAULTS, ...PASSING_FAULTS]) {
        const finding = look([seen(kind), unseen(fault)], known, { sellerId: 'friend' })
        const part = fault !== 'not-fetched'
        expect([kind, fault, finding.state, finding.state === 'scored' && finding.incomplete === true]).toEqual([
          kind,
          fault,
          'scored',
          part,
        ])
        const passing = (PASSING_FAULTS as readonly string[]).includes(fault)
        const late = fault === 'gone'
        if (part) expect(finding).toMatchObject({ passing, late })
        expect(look([unseen(fault)])).toMatchObject(part ? { state: 'failed', passing, late } : { state: 'abstained' })
      }
  })

  it('tells the seller which picture he can mend, and not why an address was refused', () => {
    const codes = (...faults: PictureFault[]) => {
      const finding = look(faults.map(unseen))
      return finding.state === 'failed' ? finding.reasons?.map((r) => r.code) : finding.state
    }
    expect(codes('not-a-picture', 'hash-differs')).toEqual(['picture-cannot-be-opened'])
    expect(codes('gone')).toEqual(['picture-not-found'])
    expect(codes('timed-out', 'address-refused')).toEqual(['picture-cannot-be-opened', 'picture-did-not-come'])
    // Our own fault: the policy's own words are enough.
    expect(codes('busy')).toEqual([])
  })

  it('has not failed where there was nothing to compare with', () => {
    expect(look([unseen('timed-out')], {}, { size: 0 }).state).toBe('abstained')
    expect(look([unseen('timed-out')], {}, { noBanks: true }).state).toBe('abstained')
  })

  it('does not look up a blank picture', () => {
    expect(look([seen('white', true)], { white: [match('counterfeit')] }).state).toBe('abstained')
  })

  it('gets less certain with every bit, and never more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 63 }), (a, b) => {
        const [near, far] = [counterfeitScore(Math.min(a, b)), counterfeitScore(Math.max(a, b))]
        expect(near).toBeGreaterThanOrEqual(far)
        expect(far).toBeGreaterThanOrEqual(0.4)
        expect(near).toBeLessThanOrEqual(0.97)
      }),
    )
    expect(counterfeitScore(0)).toBeGreaterThan(counterfeitScore(1))
  })

  it('goes by the worst picture, and lets an allowed one excuse only itself', () => {
    const known = {
      fake: [match('counterfeit', 20)],
      worse: [match('counterfeit', 2)],
      fine: [match('counterfeit', 0), match('allowed', 31)],
    }
    expect(scoreOf(look([seen('fake'), seen('worse')], known))).toBe(counterfeitScore(2))
    expect(scoreOf(look([seen('fine')], known))).toBe('abstained')
    expect(scoreOf(look([seen('fine'), seen('fake')], known))).toBe(counterfeitScore(20))
    // What was allowed is told, and a picture that was not seen is then still a failure.
    expect(look([seen('fine')], known).evidence).toMatchObject({ why: 'allowed', matches: [{ kind: 'allowed' }] })
    expect(look([seen('fine'), unseen('gone')], known).state).toBe('failed')
  })

  it('lets what joined by a verdict yield to the photo of a brand that its case was about, whichever came first, and nothing else', () => {
    const confirmed = (more: Partial<BankMatch> = {}, brandIds?: string[]) =>
      match('counterfeit', 0, {
        source: { kind: 'verdict', verdictId: 'V-1', ...(brandIds === undefined ? {} : { brandIds }) },
        ...more,
      })
    const other = { brandId: 'gap' }
    const nobodys = { brandId: null }
    const known: Record<string, readonly BankMatch[]> = {
      own: [confirmed(), match('genuine', 30)],
      ours: [confirmed(), match('genuine', 30, nobodys)],
      // Both brands were named, whichever of them it was confirmed for.
      both: [confirmed({}, ['nord', 'gap']), match('genuine', 30, other)],
      unnamed: [confirmed(nobodys, ['gap']), match('genuine', 30, other)],
      oursOfUnnamed: [confirmed(nobodys), match('genuine', 30, nobodys)],
      // Another brand uploads what analysts confirmed.
      whitened: [confirmed(nobodys, ['nord']), match('genuine', 0, other)],
      // Joined before the brands of its case were kept.
      old: [confirmed(nobodys), match('genuine', 0, other)],
      alone: [confirmed()],
      foreign: [confirmed(), match('genuine', 0, other)],
      logo: [confirmed(), match('logo', 0)],
      byHand: [match('counterfeit', 0), match('genuine', 0)],
    }
    const score = (...names: string[]) =>
      scoreOf(
        look(
          names.map((name) => seen(name)),
          known,
        ),
      )
    for (const name of ['own', 'ours', 'both', 'unnamed', 'oursOfUnnamed'])
      expect([name, score(name)]).toEqual([name, 0.25])
    for (const name of ['whitened', 'old', 'alone', 'foreign', 'logo', 'byHand'])
      expect([name, score(name)]).toEqual([name, 0.97])
    // It excuses itself alone.
    expect(score('own', 'alone')).toBe(0.97)
    const finding = look([seen('own')], known, { sellerId: 'friend' })
    expect(finding).toMatchObject({ state: 'scored', score: 0, reasons: [] })
    expect(finding.evidence).toMatchObject({ matches: [{ kind: 'genuine' }] })
  })

  it('counts what a rights holder put into its bank by itself only against listings about its brand', () => {
    const own = match('counterfeit', 0, { source: { kind: 'api', by: 'brand' } })
    const known = {
      own: [own],
      vouched: [match('counterfeit', 0, { source: { kind: 'api' } })],
      // Nearer in the same bank, and yet it hides nothing.
      beside: [own, match('counterfeit', 20, { source: { kind: 'verdict', verdictId: 'V-1' } })],
    }
    const score = (name: keyof typeof known, ...brandIds: string[]) => scoreOf(look([seen(name)], known, { brandIds }))
    expect([score('own'), score('own', 'gap'), score('own', 'gap', 'nord')]).toEqual([0.1, 0.1, 0.97])
    expect([score('vouched'), score('beside')]).toEqual([0.97, counterfeitScore(20)])
    const finding = look([seen('own')], known)
    expect(finding).toMatchObject({ reasons: [], evidence: { matches: [{ kind: 'counterfeit', brandId: 'nord' }] } })
  })

  it('counts what nobody looked at as a rights holder’s word: in a bank of no brand against listings about one of its case', () => {
    const source: BankMatch['source'] = { kind: 'verdict', by: 'nobody', verdictId: 'V-1', brandIds: ['nord', 'gap'] }
    const known = {
      ofNord: [match('counterfeit', 0, { source })],
      ofAll: [match('counterfeit', 0, { brandId: null, source })],
      ofNone: [match('counterfeit', 0, { brandId: null, source: { ...source, brandIds: [] } })],
      // Confirmed on another case by whoever looked at it.
      beside: [match('counterfeit', 0, { source }), match('counterfeit', 20, { source: { ...source, by: undefined } })],
    }
    const score = (name: keyof typeof known, ...brandIds: string[]) => scoreOf(look([seen(name)], known, { brandIds }))
    expect([score('ofNord'), score('ofNord', 'gap'), score('ofNord', 'nord')]).toEqual([0.1, 0.1, 0.97])
    expect([score('ofAll'), score('ofAll', 'other'), score('ofAll', 'gap')]).toEqual([0.1, 0.1, 0.97])
    expect([score('ofNone'), score('ofNone', 'nord'), score('beside')]).toEqual([0.1, 0.1, counterfeitScore(20)])
    expect(look([seen('ofAll')], known)).toMatchObject({ reasons: [], evidence: { matches: [{ source }] } })
  })

  it('says of the brand’s own photo nothing against whom the brand authorised', () => {
    const known = { own: [match('genuine')], ours: [match('genuine', 0, { brandId: null })] }
    expect(scoreOf(look([seen('own')], known))).toBe(0.25)
    expect(scoreOf(look([seen('own')], known, { sellerId: 'friend' }))).toBe(0)
    // A bank of the deployment's own speaks for the brand that the goods are offered as.
    expect(scoreOf(look([seen('ours')], known, { sellerId: 'friend' }))).toBe(0.25)
    expect(scoreOf(look([seen('ours')], known, { sellerId: 'friend', brandIds: ['nord'] }))).toBe(0)
    const finding = look([seen('own')], known, { sellerId: 'friend' })
    expect(finding.state === 'scored' && finding.reasons).toEqual([])
  })

  it('shows people a page of evidence at most, the worst first', () => {
    const pictures = Array.from({ length: 60 }, (_, i) => seen(`p${i}`))
    const known = Object.fromEntries(pictures.map((_, i) => [`p${i}`, [match('counterfeit', 60 - i)]]))
    const { evidence } = look(pictures, known)
    const matches = evidence['matches'] as { distance: number }[]
    expect(matches).toHaveLength(20)
    expect(matches[0]?.distance).toBe(1)
  })

  it('of an animation looks at each frame, and an allowed one speaks for no other', () => {
    const still = seen('first')
    const { hash, variants } = still
    const frame = { hash, variants: [new Uint8Array(32)], blank: false }
    const animation: Picture = { ...still, frames: [frame] }
    const byFrame = (first: BankMatch[], second: BankMatch[]) => (picture: SeenPicture) =>
      picture.variants === variants ? first : second
    const asked = (matches: (picture: SeenPicture) => readonly BankMatch[]) => look([animation], matches)
    expect(asked(byFrame([], [match('counterfeit', 4)]))).toMatchObject({ state: 'scored' })
    expect(scoreOf(asked(byFrame([match('allowed')], [match('counterfeit', 4)])))).toBe(counterfeitScore(4))
    // The same bank is named once, by the frame that is nearest.
    expect(asked(byFrame([match('counterfeit', 9)], [match('counterfeit', 4)])).evidence['matches']).toMatchObject([
      { distance: 4 },
    ])
    expect(asked(byFrame([match('allowed')], [match('counterfeit', 4), match('allowed')]))).toMatchObject({
      state: 'abstained',
    })
  })

  it('of many frames looks at all, and lets others go on between them', async () => {
    const still = seen('long')
    const { hash } = still
    const frames = Array.from({ length: 60 }, () => ({ hash, variants: [new Uint8Array(32)], blank: false }))
    const last = frames.at(-1)?.variants
    let asks = 0
    let turns = 0
    const counting = setInterval(() => (turns += 1), 1)
    const finding = await lookForLong([{ ...still, frames }], (picture) => {
      asks += 1
      for (const until = performance.now() + 2; performance.now() < until;);
      return picture.variants === last ? [match('counterfeit', 4)] : []
    })
    clearInterval(counting)
    expect([asks, finding.state]).toEqual([61, 'scored'])
    // 61 look-ups of 2 ms, in turns of 8 ms and what the last of each takes.
    expect(turns).toBeGreaterThanOrEqual(5)
  })

  it('of more frames than a listing may have looks at the first, and has not seen all of those behind', async () => {
    const { hash } = seen('x')
    const of = (name: string, count: number): Picture => ({
      ...seen(name),
      frames: Array.from({ length: count }, () => ({ hash, variants: [new Uint8Array(32)], blank: false })),
    })
    let asks = 0
    const match = () => ((asks += 1), [])
    const finding = await lookForLong([of('a', 63), of('b', 63), of('c', 2), of('d', 1), seen('e')], match)
    expect(asks).toBe(128 + 5)
    expect(finding).toMatchObject({ state: 'failed', evidence: { unseen: [{ image: 3, fault: 'too-many-pixels' }] } })
  })

  it('has not seen all where frames were left out: alone it has failed, and beside a match it is of a part', () => {
    const part: Picture = { ...seen('part'), unseenFrames: true }
    expect(look([part])).toMatchObject({
      state: 'failed',
      passing: false,
      reasons: [{ code: 'picture-cannot-be-opened' }],
    })
    expect(look([part], { part: [match('counterfeit', 4)] })).toMatchObject({ state: 'scored', incomplete: true })
  })

  it('has not seen what browsers show otherwise, whatever it is like as it was decoded', () => {
    const odd: Picture = { ...seen('odd'), shownOtherwise: true }
    const failed = { state: 'failed', passing: false, late: false, reasons: [{ code: 'picture-cannot-be-opened' }] }
    expect(look([odd])).toMatchObject(failed)
    expect(look([odd], { odd: [match('allowed', 0)] })).toMatchObject(failed)
    expect(look([odd], { odd: [match('counterfeit', 4)] })).toMatchObject({ state: 'scored', incomplete: true })
  })

  it('has not seen what is missing of a damaged picture, where that is much', () => {
    const part: Picture = { ...seen('cut'), damaged: true, unseenPart: true }
    expect(look([part])).toMatchObject({
      state: 'failed',
      evidence: { unseen: [{ image: 0, fault: 'not-a-picture' }], damaged: [0] },
    })
    expect(look([part], { cut: [match('counterfeit', 4)] })).toMatchObject({ state: 'scored', incomplete: true })
  })

  it('tells analysts which pictures were damaged', () => {
    const damaged: Picture = { ...seen('cut'), damaged: true }
    expect(look([seen('whole'), damaged])).toMatchObject({ state: 'abstained', evidence: { damaged: [1] } })
    expect(look([seen('whole')]).evidence).not.toHaveProperty('damaged')
  })
})
