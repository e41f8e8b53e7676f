// Rows to learn from and rows held out. Real: deduplication, caps and split; made up: the labels.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LEAST, split } from '../../../src/learning/split.ts'
import { patternOf, trainingSet } from '../../../src/learning/training-set.ts'
import { at, labelled, story, wordFor } from './labelled.ts'

const revision = (id: string, number: number, title: string) => ({
  listing: { listingId: id, revision: number, sellerId: 'S-1', title },
  sellerId: 'S-1',
})

describe('the training set', () => {
  test('has a revision once, confirmed if any brand says so, and a listing once, as it was last', () => {
    const rows = trainingSet([
      labelled('A', 'rejected', { ...revision('A', 1, 'one'), brandId: 'gap', at: at(9) }),
      labelled('A', 'confirmed', { ...revision('A', 1, 'one'), brandId: 'nike', at: at(1) }),
      labelled('B', 'confirmed', { ...revision('B', 2, 'new'), at: at(2) }),
      labelled('B', 'rejected', { ...revision('B', 1, 'old'), at: at(8) }),
    ])
    expect(rows.map((r) => [r.listing.listingId, r.listing.revision, r.label])).toEqual([
      ['A', 1, 'confirmed'],
      ['B', 2, 'confirmed'],
    ])
  })

  test('has the same words of a seller once, and keeps those of another', () => {
    const same = { listing: { listingId: 'A', revision: 1, sellerId: 'S-1', title: 'Red  Bag' }, sellerId: 'S-1' }
    const rows = trainingSet([
      labelled('A', 'confirmed', same),
      labelled('B', 'confirmed', { ...same, listing: { ...same.listing, listingId: 'B', title: 'red bag ' } }),
      labelled('C', 'confirmed', { ...same, sellerId: 'S-2', listing: { ...same.listing, listingId: 'C' } }),
    ])
    expect(rows.map((r) => r.listing.listingId)).toEqual(['B', 'C'])
  })

  test('hears a seller with a thousand listings no louder than ten', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => labelled(`L-${i}`, 'confirmed', { sellerId: 'loud' }))
    const rows = trainingSet([...many, labelled('quiet', 'rejected')])
    const sum = (sellerId: string) =>
      rows.filter((r) => r.sellerId === sellerId).reduce((total, r) => total + r.fitWeight, 0)
    expect(sum('loud')).toBeCloseTo(10)
    expect(sum('seller of quiet')).toBe(1)
  })

  test('is the same whatever order the labels came in', () => {
    const labels = story(30)
    fc.assert(
      fc.property(fc.shuffledSubarray(labels, { minLength: 30 }), (shuffled) => {
        expect(trainingSet(shuffled)).toEqual(trainingSet(labels))
      }),
      { numRuns: 50 },
    )
  })
})

test('words are the same where a number, a price, signs, order or disguise differ, and others where a word does', () => {
  const of = (title: string, description?: string) =>
    patternOf({
      listing: {
        listingId: 'L',
        revision: 1,
        sellerId: 'S',
        title,
        ...(description === undefined ? {} : { description }),
      },
    })
  const one = of('Rolex Submariner 116610LN, lot 17', 'Only 240 USD!')
  for (const same of ['rolex  SUBMARINER lot 18', 'Lot 3: Rolex - Submariner', 'R\u200bolex 𝗦ubmariner ★ lot №4'])
    expect(of(same, 'only 9.50 usd')).toBe(one)
  expect(of('Rolex Daytona, lot 17', 'Only 240 USD!')).not.toBe(one)
  expect(of('Rolex Submariner lot', 'Only 240 EUR!')).not.toBe(one)
  // What has no other words stands for itself.
  expect(of('501')).toBe(of('501.'))
  expect(of('501')).not.toBe(of('505'))
})

describe('the split', () => {
  test('says how many of which are missing, and learns from nothing', () => {
    expect(() => split(trainingSet(story(20)), 1)).toThrow(
      expect.objectContaining({
        code: 'labels-missing',
        message: expect.stringMatching(
          /^20 listings .*more confirmed listings to learn from \(\d+ of 10\).*rejected/,
        ) as string,
      }),
    )
    expect(() => split([], 1)).toThrow(/10 more confirmed listings to learn from \(0 of 10\)/)
    const oneSeller = story(120).map((l) => (l.label === 'confirmed' ? { ...l, sellerId: 'only one' } : l))
    expect(() => split(trainingSet(oneSeller), 1)).toThrow(/confirmed/)
  })

  test('never has a seller, or the same words, on both sides, and holds out only what came later', () => {
    let divided = 0
    fc.assert(
      fc.property(fc.array(fc.nat(25), { minLength: 240, maxLength: 240 }), fc.nat(1_000), (sellers, seed) => {
        const labels = story(240).map((l, i) => ({
          ...l,
          sellerId: `S-${sellers[i]}`,
          listing: { ...l.listing, title: `words ${wordFor(i % 200)} for ${i} USD` },
        }))
        let parts
        try {
          parts = split(trainingSet(labels), seed)
        } catch {
          return
        }
        divided += 1
        const { learn, heldOut, boundary, leftOut } = parts
        const learnt = new Set(learn.map((r) => r.sellerId))
        expect(heldOut.filter((r) => learnt.has(r.sellerId))).toEqual([])
        const words = new Set(learn.map(patternOf))
        expect(heldOut.filter((r) => words.has(patternOf(r)))).toEqual([])
        expect(learn.every((r) => r.at <= boundary.from) && heldOut.every((r) => r.at >= boundary.from)).toBe(true)
        expect(learn.length + heldOut.length + leftOut.sellers + leftOut.words).toBe(trainingSet(labels).length)
        expect(heldOut.filter((r) => r.label === 'confirmed').length).toBeGreaterThanOrEqual(LEAST.heldOut)
      }),
      { numRuns: 50 },
    )
    expect(divided).toBeGreaterThan(25)
  })

  test('puts words that stand on both sides to either one, so that common ones neither flatter nor empty it', () => {
    const copied = story(300).map((l, i) => ({
      ...l,
      sellerId: `S-${i}`,
      listing: { ...l.listing, title: `${l.label} goods like ${wordFor(i % 50)}, lot ${i}`, description: `${i} left` },
    }))
    const { learn, heldOut, leftOut } = split(trainingSet(copied), 1)
    const [learnt, measured] = [new Set(learn.map(patternOf)), new Set(heldOut.map(patternOf))]
    expect([...learnt].filter((pattern) => measured.has(pattern))).toEqual([])
    expect([learnt.size, measured.size]).toEqual([50 - measured.size, 50 - learnt.size])
    expect(Math.min(learnt.size, measured.size)).toBeGreaterThan(10)
    expect(leftOut).toEqual({ sellers: 0, words: 300 - learn.length - heldOut.length })
  })

  test('divides what was decided at one instant by sellers, whatever the listings are called, the same for a seed', () => {
    const batch = story(200).map((l, i) => {
      const kind = i % 2 === 0 ? 'a-fake' : 'z-honest'
      return { ...l, at: at(0), sellerId: `S-${i}`, listing: { ...l.listing, listingId: `${kind}-${i}` } }
    })
    const { learn, heldOut, leftOut } = split(trainingSet(batch), 1)
    expect([learn.length, heldOut.length, leftOut]).toEqual([140, 60, { sellers: 0, words: 0 }])
    for (const side of [learn, heldOut]) {
      const share = side.filter((r) => r.label === 'confirmed').length / side.length
      expect(share).toBeGreaterThan(0.3)
      expect(share).toBeLessThan(0.7)
    }
    expect(split(trainingSet(batch.toReversed()), 1)).toEqual(split(trainingSet(batch), 1))
    expect(split(trainingSet(batch), 2).learn).not.toEqual(learn)
  })

  test('is drawn anew by another seed, and the same by the same', () => {
    const straddling = story(400).map((l, i) => ({ ...l, sellerId: `S-${i % 80}` }))
    const ids = (seed: number) => split(trainingSet(straddling), seed).learn.map((r) => r.listing.listingId)
    expect(ids(1)).toEqual(ids(1))
    expect(ids(1)).not.toEqual(ids(2))
  })
})
