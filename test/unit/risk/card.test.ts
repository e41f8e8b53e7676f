// What the scorecard that ships makes of typical evidence, against the thresholds it was made for. Real: the card, fuse.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SignalResult } from '../../../src/domain/signal-result.ts'
import { loadScorecard } from '../../../src/apps/scorecard-file.ts'
import { fuse } from '../../../src/risk/fuse.ts'

const card = await loadScorecard(fileURLToPath(new URL('../../../models/', import.meta.url)))
const HOLD = 0.2
const BLOCK = 0.9

function riskOf(scores: Readonly<Record<string, number>>): number {
  const results = Object.entries(scores).map(([name, score]): SignalResult => ({
    name,
    version: '1',
    state: 'scored',
    score,
    contribution: 0,
    evidence: {},
    durationMs: 0,
  }))
  return fuse(card, results).risk
}

describe('the card that ships', () => {
  it('allows a plain listing of a much-copied brand at its usual price', () => {
    expect(riskOf({ brand: 0.15, price: 0.1 })).toBeLessThan(HOLD / 4)
    expect(riskOf({ brand: 0.15, price: 0.3 })).toBeLessThan(HOLD)
  })

  it('does not let a hint, a contradiction and a lowish price add up to a block', () => {
    expect(riskOf({ wording: 0.25, brand: 0.4, price: 0.3 })).toBeLessThan(BLOCK)
  })

  it('never blocks for one signal alone, unless wording says it twice', () => {
    expect(riskOf({ price: 1 })).toBeLessThan(BLOCK)
    expect(riskOf({ brand: 1 })).toBeLessThan(BLOCK)
    expect(riskOf({ wording: 0.85 })).toBeLessThan(BLOCK)
    expect(riskOf({ wording: 0.98 })).toBeGreaterThan(BLOCK)
  })

  it('holds open wording, a disguised brand name, a price far below the band', () => {
    expect(riskOf({ wording: 0.85 })).toBeGreaterThan(HOLD)
    expect(riskOf({ brand: 0.95 })).toBeGreaterThan(HOLD)
    expect(riskOf({ brand: 0.15, price: 0.54 })).toBeGreaterThan(HOLD)
  })

  it('blocks open wording together with a price far below the band', () => {
    expect(riskOf({ wording: 0.85, brand: 0.15, price: 0.54 })).toBeGreaterThan(BLOCK)
  })

  it('gives the usual price no more than a little weight for the listing', () => {
    expect(riskOf({ price: 0 })).toBeGreaterThan(card.prior.probability * 0.75)
  })
})
