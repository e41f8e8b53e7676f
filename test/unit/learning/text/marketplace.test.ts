// Whether the invented marketplace gives its labels away by anything but words. Real: the file that the model which ships learns from.
import { describe, expect, it } from 'vitest'
import { inventedRows } from '../../../../scripts/train-shipped-text.ts'

const rows = inventedRows()
const confirmed = rows.filter((r) => r.label === 'confirmed')
const rejected = rows.filter((r) => r.label === 'rejected')
const share = (some: typeof rows, has: (r: (typeof rows)[number]) => boolean) => some.filter(has).length / some.length

/** The chance that a confirmed row has the larger value. */
function auc(value: (r: (typeof rows)[number]) => number): number {
  let won = 0
  const [ours, theirs] = [confirmed.map(value), rejected.map(value)]
  for (const c of ours) for (const r of theirs) won += c > r ? 1 : c === r ? 0.5 : 0
  return won / (confirmed.length * rejected.length)
}

describe('the invented marketplace', () => {
  it('has some of everything', () => {
    expect(rows.length).toBeGreaterThan(500)
    expect(new Set(rows.map((r) => r.listing.listingId)).size).toBe(rows.length)
    expect(confirmed.filter((r) => r.overt).length).toBeGreaterThan(100)
    expect(confirmed.filter((r) => !r.overt).length).toBeGreaterThan(100)
    const honest = rejected.map((r) => r.listing.title).join('\n')
    for (const trap of [/\bUA\b/, /Margiela Replica/, /bootleg/, /not a replica/, /no fakes/, /Reps NY/, /[Cc]ase for/])
      expect(honest).toMatch(trap)
  })

  it('has no field in one class only, nor nearly so', () => {
    for (const field of [
      'description',
      'shipsFrom',
      'category',
      'price',
      'language',
      'brand',
      'condition',
      'quantity',
    ] as const) {
      const has = (r: (typeof rows)[number]) => r.listing[field] !== undefined
      expect(Math.abs(share(confirmed, has) - share(rejected, has)), field).toBeLessThan(0.08)
    }
  })

  it('says nothing by price, time, stock, length, country or the numbers in ids', () => {
    const values: Record<string, (r: (typeof rows)[number]) => number> = {
      price: (r) => r.listing.price?.amount ?? 0,
      time: (r) => Date.parse(r.at),
      stock: (r) => r.listing.quantity ?? 0,
      description: (r) => (r.listing.description === undefined ? 0 : 1),
      china: (r) => (r.listing.shipsFrom === 'CN' ? 1 : 0),
      id: (r) => Number(r.listing.listingId.replace(/\D/g, '')),
      used: (r) => (r.listing.condition === 'used' ? 1 : 0),
    }
    for (const [name, value] of Object.entries(values)) expect(Math.abs(auc(value) - 0.5), name).toBeLessThan(0.1)
  })
})
