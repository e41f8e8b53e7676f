// What a match is worth by who says so: a verdict, a rights holder alone, nobody. Real: the detector; made up: banks and pictures.
import { describe, expect, it } from 'vitest'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { counterfeitScore } from '../../../../src/signals/image-hash/signal.ts'
import { seenPicture as seen } from '../../seen-picture.ts'
import { look, match, scoreOf } from './looking.ts'

describe('image-hash', () => {
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
})
