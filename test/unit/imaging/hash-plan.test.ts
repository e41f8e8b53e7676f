// How a question is answered at the least cost: nothing is missed, and no other way would cost less. Real: everything.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SAMPLE_ROW, WAYS } from '../../../src/imaging/hash-kernel.ts'
import { cheapestScan, PIECES, shareOut } from '../../../src/imaging/hash-plan.ts'

const piecesOf = <T>(each: fc.Arbitrary<T>) => fc.array(each, { minLength: PIECES, maxLength: PIECES })

describe('sharing out', () => {
  it('takes the units that are needed, at the cost that it names', () => {
    fc.assert(
      fc.property(
        fc.array(piecesOf(fc.nat(10_000)), { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 1, max: 32 }),
        (costs, units) => {
          const rows = costs.map((row) => Float64Array.from(row))
          const shares = shareOut(rows, units)
          const probes = shares.probes()
          expect(new Set(probes.map(({ piece }) => piece)).size).toBe(probes.length)
          expect(probes.reduce((sum, { radius }) => sum + radius + 1, 0)).toBeGreaterThanOrEqual(units)
          expect(probes.reduce((sum, { piece, radius }) => sum + (rows[radius]?.[piece] ?? NaN), 0)).toBe(shares.cost)
        },
      ),
    )
  })

  it('costs no more than any other way', () => {
    fc.assert(
      fc.property(
        fc.array(piecesOf(fc.nat(10_000)), { minLength: 3, maxLength: 3 }),
        piecesOf(fc.nat(3)),
        (costs, takes) => {
          const units = takes.reduce((sum, take) => sum + take, 0)
          fc.pre(units > 0)
          const cost = takes.reduce((sum, take, piece) => sum + (take === 0 ? 0 : (costs[take - 1]?.[piece] ?? NaN)), 0)
          expect(
            shareOut(
              costs.map((row) => Float64Array.from(row)),
              units,
            ).cost,
          ).toBeLessThanOrEqual(cost)
        },
      ),
    )
  })

  it('is not to be had for more units than all pieces have', () => {
    const row = new Float64Array(PIECES).fill(1)
    expect(shareOut([row, row], 2 * PIECES).cost).toBe(PIECES)
    expect(shareOut([row, row], 2 * PIECES + 1).cost).toBe(Infinity)
  })
})

describe('which words are looked at', () => {
  const SAMPLED = 256
  /** All at this count of bits in each way; `apart`: in those ways at another. */
  const sampleOf = (bits: number, apart: Readonly<Record<number, number>> = {}) => {
    const sample = new Uint32Array(WAYS.length * SAMPLE_ROW)
    for (const way of WAYS.keys()) sample[way * SAMPLE_ROW + (apart[way] ?? bits)] = SAMPLED
    return sample
  }
  const wordsFor = (distance: number, sample: Uint32Array) => {
    const { way } = cheapestScan(1_000_000, distance, sample, SAMPLED)
    return way === undefined ? undefined : WAYS[way]
  }
  it.each([
    ['any two where none gets past', sampleOf(40), 31, [0, 1]],
    ['all are compared where all get past', sampleOf(31), 31, undefined],
    ['as far as the distance goes', sampleOf(31), 30, [0, 1]],
    ['the two that tell apart', sampleOf(20, { 4: 32 }), 31, [1, 3]],
    ['three where no two do', sampleOf(20, { 8: 32, 10: 60 }), 31, [0, 2, 3]],
    ['four where no three do', sampleOf(20, { 10: 32 }), 31, [0, 1, 2, 3]],
  ])('%s', (_, sample, distance, words) => {
    expect(wordsFor(distance, sample)).toEqual(words)
  })
})
