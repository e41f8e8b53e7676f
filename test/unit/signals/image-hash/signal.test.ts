// What the detector of known pictures scores beyond its own examples. Real: the detector; made up: banks and pictures.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Picture, PictureFault, SeenPicture } from '../../../../src/imaging/picture.ts'
import { LASTING_FAULTS, LATE_FAULTS, PASSING_FAULTS } from '../../../../src/imaging/picture.ts'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { counterfeitScore } from '../../../../src/signals/image-hash/signal.ts'
import { seenPicture as seen } from '../../seen-picture.ts'
import { look, lookForLong, match, scoreOf } from './looking.ts'

const unseen = (fault: PictureFault): Picture => ({ state: 'unseen', fault, message: 'why' })

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
    // Saved anew it would be as large again.
    for (const fault of ['too-large', 'too-many-pixels', 'too-slow'] as const)
      expect(codes(fault)).toEqual(['picture-too-large'])
    expect(codes('too-slow', 'hash-differs')).toEqual(['picture-cannot-be-opened', 'picture-too-large'])
    // Our own fault: nothing is asked of the seller.
    expect(codes('busy', 'unreachable')).toEqual(['picture-did-not-come', 'picture-not-looked-at-yet'])
    expect(codes('busy')).toEqual(['picture-not-looked-at-yet'])
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

  it('shows people a page of evidence at most, the worst first', async () => {
    const pictures = Array.from({ length: 60 }, (_, i) => seen(`p${i}`))
    const known = Object.fromEntries(pictures.map((_, i) => [`p${i}`, [match('counterfeit', 60 - i)]]))
    const { evidence } = await lookForLong(pictures, known)
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

  it.each(['frames', 'pictures'])('of many %s looks at all, and lets others go on between them', async (what) => {
    const still = seen('long')
    const { hash } = still
    const many = Array.from({ length: 60 }, () => ({ hash, variants: [new Uint8Array(32)], blank: false }))
    const last = many.at(-1)?.variants
    const pictures =
      what === 'frames' ? [{ ...still, frames: many }] : [still, ...many.map((one) => ({ ...still, ...one }))]
    let asks = 0
    let turns = 0
    const counting = setInterval(() => (turns += 1), 1)
    const finding = await lookForLong(pictures, (picture) => {
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
      reasons: [{ code: 'picture-too-large' }],
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
