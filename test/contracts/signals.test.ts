// Every detector kept to the contract by its own examples. Real: the signals, the reading, brands, bands, rates and the text model that ship.
import fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { gateParts } from '../../src/apps/gate-parts.ts'
import { openTextModels } from '../../src/apps/text-models.ts'
import { assertComplete } from '../../src/pipeline/models.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { listingSchema } from '../../src/domain/listing.ts'
import { goodsKind } from '../../src/listing/goods-kind.ts'
import { shippedBrands } from '../../src/rights/brands.ts'
import { shippedCurrencies } from '../../src/rights/currencies.ts'
import { withShippedPriceBands } from '../../src/rights/price-bands.ts'
import { SIGNALS } from '../../src/signals/index.ts'
import { hexOf, type Picture } from '../../src/imaging/picture.ts'
import type { BankIndex } from '../../src/signals/image-hash/ports.ts'
import type { Signal, SignalContext, SignalExample } from '../../src/signals/signal.ts'
import { compileBrandDictionary } from '../../src/text/brand-dictionary.ts'
import { readListing } from '../../src/text/reading.ts'

const brands = new Map(withShippedPriceBands(shippedBrands()).map((b) => [b.brandId, b]))
const dictionary = compileBrandDictionary([...brands.values()])
const { usdPer } = shippedCurrencies()
const text = await openTextModels({ threads: 1, logger: pino({ level: 'silent' }) })
afterAll(() => text.close())

type Shown = NonNullable<SignalExample['pictures']>

/** Pictures as an example tells of them: each is known to banks made by hand, which say what the example says. */
function picturesOf(shown: Shown): Pick<SignalContext, 'pictures' | 'banks'> {
  const pictures = shown.map((one, i): Picture => {
    if (typeof one === 'string') return { state: 'unseen', fault: one, message: 'as the example says' }
    const bytes = new Uint8Array(32).fill(i + 1)
    return {
      state: 'seen',
      sha256: hexOf(bytes),
      format: 'jpeg',
      width: 800,
      height: 600,
      hash: { bytes, quality: 100 },
      variants: [bytes],
      blank: false,
    }
  })
  const match: BankIndex['match'] = ({ sha256 }) => {
    const one = shown[pictures.findIndex((picture) => picture.state === 'seen' && picture.sha256 === sha256)]
    if (one === undefined || typeof one === 'string') return []
    return one.map((known, i) => ({
      bankId: known.kind,
      brandId: null,
      imageId: `image-${i}`,
      variant: 0,
      form: 'whole',
      source: { kind: 'import', file: undefined },
      ...known,
    }))
  }
  return { pictures, banks: { size: 1_000, against: 1_000, change: 1n, match } }
}

function contextOf(listing: Listing, shown: Shown): SignalContext {
  return {
    reading: readListing(listing, dictionary),
    brand: (brandId) => brands.get(brandId),
    kind: goodsKind(listing),
    usdPer: (currency) => usdPer[currency],
    ...picturesOf(shown),
    textModel: text.shipped,
  }
}

const whole = (partial: Partial<Listing>): Listing =>
  listingSchema.parse({ listingId: 'L-1', revision: 1, sellerId: 'S-1', ...partial })

/** Deeply frozen, so that a signal that writes to its input throws. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

async function look(signal: Signal, partial: Partial<Listing>, shown: Shown = []) {
  const listing = freeze(whole(partial))
  const context = freeze(contextOf(listing, shown))
  const finding = await signal.evaluate(listing, context)
  // What the record keeps is JSON, so evidence must survive being written.
  expect(JSON.parse(JSON.stringify(finding.evidence))).toEqual(finding.evidence)
  const score = finding.state === 'scored' ? finding.score : 0
  expect(score >= 0 && score <= 1, `a score of ${score}`).toBe(true)
  for (const { code, text } of finding.state === 'scored' ? finding.reasons : []) {
    expect(code).toMatch(/^[a-z][a-z0-9-]*$/)
    // Reasons go to sellers: no figures.
    expect(text).not.toMatch(/\d/)
  }
  expect(await signal.evaluate(listing, context)).toEqual(finding)
  return finding
}

it('has one name and one folder per detector', () => {
  const names = SIGNALS.map((s) => s.name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9-]*$/)
  const folders = readdirSync(new URL('../../src/signals/', import.meta.url), { withFileTypes: true })
  expect(new Set(folders.filter((f) => f.isDirectory()).map((f) => f.name))).toEqual(new Set(names))
})

it('has knots in the card that ships for every detector that is enforced, and for no other', async () => {
  const { scorecard } = await gateParts({ currencies: undefined, budgetMs: 1 })
  expect(new Set(Object.keys(scorecard.signals))).toEqual(
    new Set(SIGNALS.filter((s) => s.mode === 'enforce').map((s) => s.name)),
  )
  const { prior, ...rest } = scorecard
  expect(() => assertComplete(SIGNALS, { ...rest, prior, signals: {} })).toThrow(/wording.*has no knots/s)
})

describe.each(SIGNALS.map((signal) => ({ name: signal.name, signal })))('$name', ({ signal }) => {
  it('documents itself', () => {
    expect(signal.version).not.toBe('')
    expect(signal.label).not.toBe('')
    expect(signal.description.length).toBeGreaterThan(40)
    expect(signal.sources.length).toBeGreaterThan(0)
    const states = new Set(signal.examples.map((e) => e.expect.state))
    expect(states).toContain('scored')
    expect(states).toContain('abstained')
  })

  it.each(signal.examples.map((example) => ({ title: example.name, example })))('$title', async ({ example }) => {
    const finding = await look(signal, example.listing, example.pictures)
    const { state, min, max, reasons, incomplete = false } = example.expect
    expect({ state: finding.state, evidence: finding.evidence }).toEqual({ state, evidence: finding.evidence })
    const said = finding.state === 'scored' ? finding : { score: min ?? 0, ...finding }
    expect(finding.state === 'scored' && finding.incomplete === true).toBe(incomplete)
    expect(said.score).toBeGreaterThanOrEqual(min ?? 0)
    expect(said.score).toBeLessThanOrEqual(max ?? 1)
    const codes = 'reasons' in said ? said.reasons?.map((r) => r.code) : []
    expect(codes).toEqual(reasons ?? codes)
  })

  it('never throws and never looks at shipsFrom, whatever a stranger sends', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.constantFrom('replica', 'Rolex', 'no fake', 'AAA+ 1:1', '高仿 Gucci'),
    )
    const listings = fc.record(
      {
        title: text.filter((t) => t !== ''),
        description: text,
        brand: text,
        shipsFrom: fc.constantFrom('CN', 'US'),
        condition: fc.constantFrom('new' as const, 'used' as const, 'unknown' as const),
        price: fc.record({
          amount: fc.double({ min: 0, max: 1e12, noNaN: true }),
          currency: fc.constantFrom('USD', 'JPY', 'XSU'),
        }),
        lotSize: fc.integer({ min: 1, max: 1_000_000_000 }),
      },
      { requiredKeys: ['title'] },
    )
    await fc.assert(
      fc.asyncProperty(listings, async (partial) => {
        const parsed = listingSchema.safeParse({ listingId: 'L-1', revision: 1, sellerId: 'S-1', ...partial })
        fc.pre(parsed.success)
        const { shipsFrom: _masked, ...rest } = partial
        expect(await look(signal, partial)).toEqual(await look(signal, rest))
      }),
      { numRuns: 60 },
    )
  })
})
