// The brands that ship: names from public lists and the marks known to be copied; the store may hold others beside them.
import { brandSchema, type Brand } from '../domain/brand.ts'
import rows from './data/brands.json' with { type: 'json' }

let parsed: readonly Brand[] | undefined

/** Several thousand brands, frozen; parsed at the first call. Price bands are kept apart, see data/README.md. */
export function shippedBrands(): readonly Brand[] {
  parsed ??= Object.freeze(rows.map((row) => Object.freeze(brandSchema.parse(row))))
  return parsed
}
