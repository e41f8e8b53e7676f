// How verdicts become a text model. Real: all of training, on the invented marketplace and on rows made here.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { inventedRows, trainShippedText } from '../../../../scripts/train-shipped-text.ts'
import { modelCardSchema } from '../../../../src/domain/model.ts'
import { FEWEST_VERDICTS, trainText, type TextRow } from '../../../../src/learning/text/train-text.ts'

const shipped = new URL('../../../../models/text/1/', import.meta.url)

/** Rows of one marketplace; `words` says what the title of a confirmed and of a rejected listing has. */
function rows(
  count: number,
  words: { confirmed: (n: number) => string; rejected: (n: number) => string },
  more: Partial<TextRow> = {},
): TextRow[] {
  return Array.from({ length: count }, (_, n) => {
    const label = n % 2 === 0 ? ('confirmed' as const) : ('rejected' as const)
    const sellerId = `${label}-${Math.floor(n / 2) % 6}`
    const listing = { listingId: `L-${n}`, revision: 1, sellerId, title: `bag ${words[label](n)}` }
    return {
      listing,
      label,
      at: `2026-01-01T00:00:${String(n % 60).padStart(2, '0')}.000Z`,
      sellerId,
      marketplace: 'm',
      weight: 1,
      ...more,
    }
  })
}
const clear = { confirmed: () => 'factory batch', rejected: () => 'from my wardrobe' }

describe('training', () => {
  it('refuses what cannot be learnt from, and says what is missing', () => {
    const few = rows(2 * FEWEST_VERDICTS - 1, clear)
    expect(() => trainText(few, { seed: 1 })).toThrow(expect.objectContaining({ code: 'labels-missing' }))
    const oneSided = rows(40, clear).filter((r) => r.label === 'confirmed')
    expect(() => trainText(oneSided, { seed: 1 })).toThrow(/5 confirmed and 5 rejected/)
    // Enough together, in no marketplace enough.
    const scattered = rows(16, clear).map((r, i) => ({ ...r, marketplace: `m${i % 4}` }))
    expect(() => trainText(scattered, { seed: 1 })).toThrow(expect.objectContaining({ code: 'labels-missing' }))
  })

  it('names the marketplaces that it learnt from, and leaves the others out', () => {
    const other = rows(6, clear, { marketplace: 'small' }).map((r) => ({
      ...r,
      listing: { ...r.listing, listingId: `S${r.listing.listingId}` },
    }))
    const none = rows(20, clear, { marketplace: null }).map((r) => ({
      ...r,
      listing: { ...r.listing, listingId: `N${r.listing.listingId}` },
    }))
    const { card, outOfFold } = trainText([...other, ...rows(20, clear), ...none], { seed: 1 })
    expect(card.trained).toMatchObject({ marketplaces: ['', 'm'], rows: 40, confirmed: 20, invented: false })
    expect(outOfFold.map((s) => s === undefined)).toEqual([
      ...other.map(() => true),
      ...Array.from({ length: 40 }, () => false),
    ])
  })

  it('counts a revision once, confirmed before rejected', () => {
    const twice = rows(20, clear).flatMap((r) => [
      { ...r, label: 'rejected' as const },
      r,
      { ...r, label: 'rejected' as const },
    ])
    expect(trainText(twice, { seed: 1 }).onnx).toEqual(trainText(rows(20, clear), { seed: 1 }).onnx)
  })

  it('knows nothing of a seller whom it has not seen: what only one seller writes is not learnt', () => {
    // Each seller has a word of its own, without a letter in common, which by itself would tell all.
    const words = ['qq', 'ww', 'ee', 'rr', 'tt', 'yy', 'uu', 'ii', 'oo', 'pp', 'dd', 'ff']
    const own = (n: number) => words[2 * (Math.floor(n / 2) % 6) + (n % 2)] ?? ''
    const { outOfFold, card } = trainText(rows(60, { confirmed: own, rejected: own }), { seed: 3 })
    expect(card.measured['crossValidated']).toMatchObject({ by: 'seller' })
    for (const score of outOfFold) expect(Math.abs((score ?? 0) - 0.5)).toBeLessThan(0.1)
    const shared = trainText(rows(60, clear), { seed: 3 })
    shared.outOfFold.forEach((score, n) => expect((score ?? 0.5) > 0.5).toBe(n % 2 === 0))
  })

  it('says nothing where words say nothing, and is never certain after a few verdicts', () => {
    const noise = rows(40, { confirmed: (n) => `w${n % 7}x`, rejected: (n) => `w${(n + 3) % 7}x` })
    for (const score of trainText(noise, { seed: 1 }).outOfFold)
      expect(Math.abs((score ?? 0.5) - 0.5)).toBeLessThan(0.3)
    const scoreAfter = (count: number) =>
      trainText(rows(count, clear), { seed: 1 }).score({
        listingId: 'x',
        revision: 1,
        sellerId: 'x',
        title: 'bag factory batch',
      })
    const [few, many] = [scoreAfter(10), scoreAfter(200)]
    expect(few).toBeGreaterThan(0.6)
    expect(few).toBeLessThan(0.93)
    expect(many).toBeGreaterThan(0.98)
  })

  it('is not led by how many there are of each: the score is at even odds', () => {
    const base = rows(60, {
      confirmed: (n) => (n % 4 === 0 ? 'grey' : 'factory'),
      rejected: (n) => (n % 4 === 1 ? 'grey' : 'wardrobe'),
    })
    const more = base.flatMap((r) =>
      r.label === 'confirmed'
        ? [r]
        : Array.from({ length: 9 }, (_, i) => ({
            ...r,
            listing: { ...r.listing, listingId: `${r.listing.listingId}/${i}` },
          })),
    )
    const grey = { listingId: 'x', revision: 1, sellerId: 'x', title: 'bag grey' }
    expect(trainText(more, { seed: 1 }).score(grey)).toBeCloseTo(trainText(base, { seed: 1 }).score(grey), 1)
  })

  it('does not learn the marketplace where one confirms nearly all and the other rejects it', () => {
    // Every tenth row is of the other kind; the words say where it was written, and nothing else.
    const mostly = (marketplace: string, own: string, label: TextRow['label']): TextRow[] =>
      rows(200, { confirmed: () => own, rejected: () => own }, { marketplace }).map((r, n) => ({
        ...r,
        listing: { ...r.listing, listingId: `${marketplace}-${n}` },
        sellerId: `${marketplace} ${n % 20}`,
        label: n % 10 < 9 ? label : label === 'confirmed' ? 'rejected' : 'confirmed',
      }))
    const both = [
      ...mostly('here', 'with colours and delivery', 'confirmed'),
      ...mostly('there', 'mit Farben und Versand', 'rejected'),
    ]
    const { score } = trainText(both, { seed: 1 })
    const of = (title: string) => score({ listingId: 'x', revision: 1, sellerId: 'x', title })
    expect(of('bag with colours and delivery')).toBeCloseTo(0.5, 1)
    expect(of('bag mit Farben und Versand')).toBeCloseTo(0.5, 1)
    const [few] = trainText(both, { seed: 1 }).outOfFold
    expect(few).toBeCloseTo(0.5, 1)
  })

  it('gives the same bytes for the same rows and seed, in whatever order they come', () => {
    const some = inventedRows().slice(0, 120)
    const first = trainText(some, { seed: 7 })
    const again = trainText(some.toReversed(), { seed: 7 })
    expect(again.onnx).toEqual(first.onnx)
    expect(again.card).toEqual(first.card)
    expect(first.card.version).toBe(first.card.sha256.slice(0, 12))
    expect(trainText(some, { seed: 8 }).card.sha256).not.toBe(first.card.sha256)
  })
})

describe('the model that ships', () => {
  const { onnx, card } = trainShippedText()

  it('is what training gives again, byte for byte', () => {
    expect(createHash('sha256').update(onnx).digest('hex')).toBe(
      createHash('sha256')
        .update(readFileSync(new URL('model.onnx', shipped)))
        .digest('hex'),
    )
    expect(modelCardSchema.parse(JSON.parse(readFileSync(new URL('card.json', shipped), 'utf8')))).toEqual(card)
  })

  it('says that it was invented, for one marketplace, and what it was measured on', () => {
    expect(card.trained).toMatchObject({ invented: true, marketplaces: ['demo'] })
    for (const name of ['heldOut', 'heldOutOvert', 'heldOutSilent']) {
      const figures = card.measured[name] as { auc: number; confirmed: number; rejected: number }
      expect(figures.auc).toBeGreaterThan(0.8)
      expect(figures.confirmed).toBeGreaterThan(20)
      expect(figures.rejected).toBeGreaterThan(100)
    }
  })
})
