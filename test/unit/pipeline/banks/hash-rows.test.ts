// The rows of hashes beside the banks' pictures; everything is real.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHashRows } from '../../../../src/pipeline/banks/hash-rows.ts'

const row = (value: number) => Uint8Array.from([value & 255, (value >> 8) & 255, value >> 16])

test('what stands there never moves, however many come: a copy of a million would stop everything else', () => {
  const rows = createHashRows(3)
  rows.set(0, row(7))
  const { buffer } = rows.at(0)
  for (let slot = 1; slot < 50_000; slot++) rows.set(slot, row(slot))
  expect(rows.at(0).buffer).toBe(buffer)
  expect(buffer.byteLength).toBeLessThan(1 << 20)
  expect([0, 4_095, 4_096, 49_999].map((slot) => [...rows.at(slot)])).toEqual(
    [7, 4_095, 4_096, 49_999].map((value) => [...row(value)]),
  )
})

test('who reads them as of a moment sees nothing of later ones, and a piece is copied once for it', () => {
  const rows = createHashRows(3)
  for (let slot = 0; slot < 9_000; slot++) rows.set(slot, row(slot))
  const before = rows.asOfNow()
  rows.set(5_000, row(1))
  const copied = rows.at(5_000).buffer
  rows.set(5_001, row(2))
  rows.set(9_000, row(3))
  expect(rows.at(5_001).buffer).toBe(copied)
  expect([0, 5_000, 5_001].map((slot) => [...before(slot)])).toEqual([0, 5_000, 5_001].map((value) => [...row(value)]))
  expect([5_000, 5_001, 9_000].map((slot) => [...rows.at(slot)])).toEqual([1, 2, 3].map((value) => [...row(value)]))
})

test('however setting and reading alternate, each reader has its moment', () => {
  const step = fc.constantFrom(0, 1, 4_096, 12_000, 'read' as const)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rows = createHashRows(3)
      const model = new Map<number, number>()
      const readers: { readonly at: (slot: number) => Uint8Array; readonly held: ReadonlyMap<number, number> }[] = []
      for (const [n, one] of steps.entries()) {
        if (one === 'read') readers.push({ at: rows.asOfNow(), held: new Map(model) })
        else {
          rows.set(one, row(n + 1))
          model.set(one, n + 1)
        }
      }
      for (const { at, held } of [...readers, { at: rows.at, held: model }])
        for (const [slot, value] of held) expect([...at(slot)]).toEqual([...row(value)])
    }),
  )
})
