// Trains the text model that ships, on the invented marketplace: node scripts/train-shipped-text.ts writes models/text/1/, the same bytes each time.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { listingSchema } from '../src/domain/listing.ts'
import { trainText, type TextRow, type TrainedText } from '../src/learning/text/train-text.ts'

const rowSchema = z.object({
  listing: listingSchema,
  label: z.enum(['legitimate', 'counterfeit']),
  overt: z.boolean().default(false),
})
type InventedRow = TextRow & { readonly overt: boolean }

/** Learnt from are two thirds of the sellers before this day, measured is on the others after it. */
const FROM = '2026-04-23T00:00:00.000Z'
const isHeldOutSeller = (sellerId: string): boolean =>
  (createHash('sha256').update(sellerId).digest()[0] ?? 0) % 3 === 0

/** The whole marketplace, with the listings that say it openly marked. */
export function inventedRows(): InventedRow[] {
  const file = new URL('../fixtures/marketplace/listings.jsonl', import.meta.url)
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { listing, label, overt } = rowSchema.parse(JSON.parse(line))
      return {
        listing,
        label: label === 'counterfeit' ? 'confirmed' : 'rejected',
        at: listing.submittedAt ?? '',
        sellerId: listing.sellerId,
        marketplace: listing.marketplace ?? null,
        weight: 1,
        overt,
      }
    })
}

export function trainShippedText(): TrainedText {
  const rows = inventedRows()
  const held = rows.filter((r) => isHeldOutSeller(r.sellerId) && r.at >= FROM)
  return trainText(
    rows.filter((r) => !isHeldOutSeller(r.sellerId) && r.at < FROM),
    {
      seed: 1,
      version: '1',
      invented: true,
      description:
        'N-grams of title and description, weighed by logistic regression on the invented listings of fixtures/marketplace. It speaks on the marketplace `demo` alone and abstains everywhere else until verdicts of that marketplace have trained another version.',
      heldOut: {
        heldOut: held,
        heldOutOvert: held.filter((r) => r.label === 'rejected' || r.overt),
        heldOutSilent: held.filter((r) => r.label === 'rejected' || !r.overt),
      },
    },
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { onnx, card } = trainShippedText()
  const folder = new URL('../models/text/1/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('model.onnx', folder), onnx)
  writeFileSync(new URL('card.json', folder), `${JSON.stringify(card, null, 2)}\n`)
}
