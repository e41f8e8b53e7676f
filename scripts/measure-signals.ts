// Measures what the signals and the scorecard that ships make of files of labelled listings: `node scripts/measure-signals.ts FILE...`
//
// A row is `{listing, label}`. Every file is tried as it is and with `category` and `shipsFrom` masked, which often give
// away where a row came from. Rows whose `overt` is true are counted apart from the other ones. Prints Markdown.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { brandSchema, type Brand } from '../src/domain/brand.ts'
import { listingSchema, type Listing } from '../src/domain/listing.ts'
import type { SignalResult } from '../src/domain/signal-result.ts'
import { goodsKind } from '../src/listing/goods-kind.ts'
import { shippedBrands } from '../src/rights/brands.ts'
import { shippedCurrencies } from '../src/rights/currencies.ts'
import { withShippedPriceBands } from '../src/rights/price-bands.ts'
import { loadScorecard } from '../src/apps/scorecard-file.ts'
import { fuse } from '../src/risk/fuse.ts'
import { SIGNALS } from '../src/signals/index.ts'
import { compileBrandDictionary } from '../src/text/brand-dictionary.ts'
import { readListing } from '../src/text/reading.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hold: { type: 'string', default: '0.2' },
    block: { type: 'string', default: '0.9' },
    /** Lists rows at or above this risk, to see why. */
    show: { type: 'string' },
    masked: { type: 'boolean', default: false },
  },
})
const hold = Number(values.hold)
const block = Number(values.block)

const brands = new Map<string, Brand>(
  withShippedPriceBands(shippedBrands()).map((b) => [b.brandId, brandSchema.parse(b)]),
)
const dictionary = compileBrandDictionary([...brands.values()])
const { usdPer } = shippedCurrencies()
const card = await loadScorecard(join(import.meta.dirname, '..', 'models'))

interface Tried {
  readonly group: string
  readonly listing: Listing
  readonly risk: number
  readonly score: (signal: string) => number | undefined
  readonly signals: readonly SignalResult[]
  readonly branded: boolean
}

async function tryOne(listing: Listing, group: string): Promise<Tried> {
  const reading = readListing(listing, dictionary)
  const context = {
    reading,
    brand: (id: string) => brands.get(id),
    kind: goodsKind(listing),
    usdPer: (code: string) => usdPer[code],
    pictures: [],
    banks: undefined,
    textModel: undefined,
  }
  const results: SignalResult[] = []
  for (const signal of SIGNALS) {
    const { state, evidence, ...rest } = await signal.evaluate(listing, context)
    const score = 'score' in rest ? { score: rest.score } : {}
    results.push({
      name: signal.name,
      version: signal.version,
      state,
      ...score,
      contribution: 0,
      evidence,
      durationMs: 0,
    })
  }
  const risk = fuse(card, results)
  return {
    group,
    listing,
    risk: risk.risk,
    signals: risk.signals,
    score: (name) => results.find((r) => r.name === name)?.score,
    branded: reading.brandIds.length > 0,
  }
}

const percent = (part: number, all: number): string => (all === 0 ? '-' : `${((100 * part) / all).toFixed(2)} %`)

function line(name: string, rows: readonly Tried[]): string {
  const share = (test: (row: Tried) => boolean) => percent(rows.filter(test).length, rows.length)
  const wording = (from: number, to: number) =>
    share((r) => (r.score('wording') ?? -1) >= from && (r.score('wording') ?? -1) < to)
  const price = (from: number, to: number) =>
    share((r) => (r.score('price') ?? -1) >= from && (r.score('price') ?? -1) < to)
  return [
    name,
    rows.length,
    share((r) => r.branded),
    wording(0, 0.5),
    wording(0.5, 0.68),
    wording(0.68, 2),
    share((r) => r.score('price') !== undefined),
    price(0.3, 0.45),
    price(0.45, 0.7),
    price(0.7, 2),
    share((r) => (r.score('brand') ?? 0) >= 0.85),
    share((r) => r.risk >= hold),
    share((r) => r.risk >= block),
  ].join(' | ')
}

const head = [
  'file',
  'rows',
  'branded',
  'wording hint',
  'strong',
  'overt',
  'priced',
  'price .3-.45',
  '.45-.7',
  '.7-1',
  'hidden brand',
  `risk >= ${hold}`,
  `risk >= ${block}`,
]
process.stdout.write(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n`)

for (const file of positionals) {
  for (const masked of values.masked ? [true] : [false, true]) {
    const rows: Tried[] = []
    for (const text of readFileSync(file, 'utf8').split('\n')) {
      if (text.trim() === '') continue
      const row = JSON.parse(text) as { listing: unknown; label?: string; overt?: boolean }
      const { category, shipsFrom, ...rest } = listingSchema.parse(row.listing)
      const listing: Listing = masked
        ? rest
        : { ...rest, ...(category && { category }), ...(shipsFrom && { shipsFrom }) }
      const group =
        row.label === 'counterfeit' ? (row.overt === true ? 'overt' : 'silent') : (row.label ?? 'unlabelled')
      rows.push(await tryOne(listing, group))
    }
    for (const group of new Set(rows.map((r) => r.group))) {
      const name = `${basename(file)} ${group}${masked ? ', masked' : ''}`
      process.stdout.write(
        `| ${line(
          name,
          rows.filter((r) => r.group === group),
        )} |\n`,
      )
    }
    if (values.show === undefined) continue
    for (const row of rows.filter((r) => r.risk >= Number(values.show))) {
      const why = row.signals
        .filter((s) => s.contribution > 0.2)
        .map((s) => `${s.name} ${s.score?.toFixed(2)} ${JSON.stringify(s.evidence)}`)
      process.stdout.write(
        `  ${row.risk.toFixed(3)} ${row.listing.title} @ ${row.listing.price?.amount} ${why.join('; ').slice(0, 700)}\n`,
      )
    }
  }
}
