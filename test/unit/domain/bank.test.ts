// The names of the banks that verdicts fill. Real: all of it.
import { expect, test } from 'vitest'
import { bankSchema, confirmedBank } from '../../../src/domain/bank.ts'

test('every brand has a bank of its own, by the name that it always had where there is room for it', () => {
  const short = ['nike', 'x'.repeat(89), 'x'.repeat(90)]
  expect(short.map((brandId) => confirmedBank(brandId).bankId)).toEqual(short.map((brandId) => `confirmed-${brandId}`))
  const long = ['a', 'b', '-', '0123456789'].map((end) => 'x'.repeat(90) + end)
  const banks = [null, ...short, ...long].map(confirmedBank)
  expect(new Set(banks.map(({ bankId }) => bankId)).size).toBe(8)
  for (const bank of banks) expect(bankSchema.parse(bank)).toEqual(bank)
  // The same for ever, also in another version.
  expect(confirmedBank(long[0] ?? '').bankId).toBe(`confirmed--${'x'.repeat(56)}-1c4377547a2aae46b78fc2582d8865e5`)
})
