// What one unit of a currency is worth in US dollars: a table that ships and that an operator's own file can replace.
import { z } from 'zod'
import shipped from './data/currencies.json' with { type: 'json' }

export const currencyTableSchema = z
  .object({
    asOf: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-01-31'),
    source: z.string().min(1),
    /** US dollars per unit, by ISO 4217 code. */
    usdPer: z.record(z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in capitals'), z.number().positive()),
  })
  .refine((table) => table.usdPer['USD'] === 1, { path: ['usdPer', 'USD'], message: 'must be 1' })
export type CurrencyTable = z.infer<typeof currencyTableSchema>

/** An operator's table from JSON text; throws a ZodError that names every bad key, or a SyntaxError. */
export function parseCurrencyTable(text: string): CurrencyTable {
  return currencyTableSchema.parse(JSON.parse(text))
}

export function shippedCurrencies(): CurrencyTable {
  return currencyTableSchema.parse(shipped)
}
