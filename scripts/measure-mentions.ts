// Measures brand mentions on a JSONL file: of names `{text, canonical, kind}` the share found, of listings `{listing}` the disguises seen.
//
//   node scripts/measure-mentions.ts FILE... [--show N]
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { listingSchema } from '../src/domain/listing.ts'
import { shippedBrands } from '../src/rights/brands.ts'
import { compileBrandDictionary } from '../src/text/brand-dictionary.ts'
import { readListing } from '../src/text/reading.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { show: { type: 'string', default: '20' } },
})
const show = Number(values.show)
const began = performance.now()
const dictionary = compileBrandDictionary(shippedBrands())
console.log(
  `${shippedBrands().length} brands, ${dictionary.names.length} spellings, ready in ${Math.round(performance.now() - began)} ms`,
)

const mentionsOf = (title: string) =>
  readListing({ listingId: 'x', revision: 1, sellerId: 'x', title }, dictionary).mentions

const nameRow = z.object({ text: z.string(), canonical: z.string(), kind: z.string() })
const listingRow = z.object({ listing: listingSchema })

for (const file of positionals) {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => JSON.parse(l) as unknown)
  console.log(`\n${file}: ${rows.length} rows`)
  if (nameRow.safeParse(rows[0]).success) measureNames(rows.map((r) => nameRow.parse(r)))
  else measureListings(rows.map((r) => listingRow.parse(r).listing))
}

/** Found: any brand is seen; right: one that the canonical name is read as too; sure: one that is not left uncertain. */
function measureNames(rows: readonly z.infer<typeof nameRow>[]): void {
  const kinds = new Map<string, { rows: number; found: number; right: number; sure: number; missed: string[] }>()
  for (const { text, canonical, kind } of rows) {
    const tally = kinds.get(kind) ?? { rows: 0, found: 0, right: 0, sure: 0, missed: [] }
    kinds.set(kind, tally)
    const mentions = mentionsOf(text)
    const wanted = new Set(mentionsOf(canonical.replaceAll('/', ' / ')).map((m) => m.brandId))
    tally.rows++
    if (mentions.length > 0) tally.found++
    else tally.missed.push(text)
    if (mentions.some((m) => wanted.has(m.brandId))) tally.right++
    if (mentions.some((m) => !m.uncertain)) tally.sure++
  }
  for (const [kind, t] of kinds)
    console.log(
      `  ${kind}: ${t.rows} rows, found ${t.found}, right ${t.right}, sure ${t.sure}; missed: ${t.missed.slice(0, show).join(' | ')}`,
    )
}

function measureListings(rows: readonly z.infer<typeof listingSchema>[]): void {
  for (const listing of rows.slice(0, 500)) readListing(listing, dictionary)
  const before = process.cpuUsage()
  const readings = rows.map((listing) => readListing(listing, dictionary))
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  const share = (count: number) => `${count} (${((100 * count) / rows.length).toFixed(2)} %)`
  const hidden = readings.filter((r) => r.mentions.some((m) => m.disguise !== 'plain'))
  const sure = hidden.filter((r) => r.mentions.some((m) => m.disguise !== 'plain' && !m.uncertain))
  console.log(
    `  certain brand: ${share(readings.filter((r) => r.mentions.some((m) => !m.uncertain)).length)}; offered as a brand: ${share(readings.filter((r) => r.brandIds.length > 0).length)}`,
  )
  console.log(
    `  nominative only: ${share(readings.filter((r) => r.brandIds.length === 0 && r.mentions.some((m) => m.use === 'nominative')).length)}; disguised: ${share(hidden.length)}; certain: ${share(sure.length)}`,
  )
  console.log(`  ${Math.round(rows.length / seconds)} listings per second of processor time`)
  for (const { mentions } of hidden.slice(0, show)) {
    for (const m of mentions)
      if (m.disguise !== 'plain')
        console.log(
          `    ${m.disguise}${m.uncertain ? ' (uncertain)' : ''} ${m.brandId}: ${m.span.field} «${m.span.text}»`,
        )
  }
}
