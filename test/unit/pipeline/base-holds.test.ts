// A policy that holds what nothing speaks for, published or rolled back to. Real: both flows, scorecard, signals, the policy that ships; made up: the store.
import { beforeAll, describe, expect, it } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { Policy } from '../../../src/domain/policy.ts'
import type { Scorecard } from '../../../src/domain/scorecard.ts'
import { heldByBase } from '../../../src/pipeline/base-holds.ts'
import { publishPolicy, rollbackPolicy } from '../../../src/pipeline/policies.ts'
import { compileGate, type GateParts } from '../../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { ReferenceStore } from '../../../src/rights/ports.ts'

const BLOCK = 0.9
const holding = (hold: number, brands: Record<string, number> = {}) => ({
  thresholds: { hold, block: BLOCK },
  brandThresholds: Object.fromEntries(Object.entries(brands).map(([id, own]) => [id, { hold: own, block: BLOCK }])),
})
const prior = (marketplaces: [string | null, number][] = []): Scorecard['prior'] => ({
  probability: 0.02,
  source: 'test',
  marketplaces: marketplaces.map(([marketplace, probability]) => ({ marketplace, probability, source: 'test' })),
})

describe('a threshold', () => {
  it('is told where it lies at or below the base of a marketplace, and nowhere else', () => {
    expect(heldByBase(holding(0.21), prior([['shop-b', 0.2]]))).toEqual([])
    expect(
      heldByBase(
        holding(0.2),
        prior([
          ['shop-b', 0.2],
          [null, 0.19],
        ]),
      ),
    ).toEqual([
      'listings of shop-b begin at a risk of 0.2 before any evidence, and the policy holds from 0.2 on: what nothing speaks for is held',
    ])
    const places = (lines: string[]) => lines.map((line) => line.split(' begin')[0])
    expect(places(heldByBase(holding(0.02), prior([['shop-b', 0.01]])))).toEqual(['listings of other marketplaces'])
    expect(places(heldByBase(holding(0), prior()))).toEqual(['listings'])
  })

  it('of a brand is told as its own, and of very many not all', () => {
    const brands = { nike: 0.2, puma: 0.3 }
    expect(heldByBase(holding(0.5, brands), prior([['shop-b', 0.2]]))).toEqual([
      'listings of shop-b begin at a risk of 0.2 before any evidence, and the policy holds those about nike (from 0.2): what nothing speaks for is held',
    ])
    const many = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`b${i}`, 0.1]))
    expect(heldByBase(holding(0.5, many), prior([['shop-b', 0.2]]))[0]).toContain('b4 (from 0.1), 2 more brands:')
  })
})

describe('publishing and rolling back', () => {
  let parts: GateParts
  beforeAll(async () => {
    parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  })
  const storeOf = (policy: Policy, fusion: Scorecard['prior'] | undefined) => {
    let stands = false
    const activate = async () => {
      stands = true
      return { policy, publishedAt: '', publishedBy: 'ann', active: true }
    }
    const store = {
      publishPolicy: activate,
      rollbackPolicy: activate,
      // Whoever promotes before the policy stands did not see it: only then is what decides known.
      load: async () => ({
        models: stands && fusion !== undefined ? [{ name: 'fusion', card: { prior: fusion } }] : [],
      }),
    }
    return store as unknown as ReferenceStore
  }
  const gate = () => compileGate(parts, { change: 1n, brands: [], policy: defaultPolicy() })
  const publish = (policy: Policy, fusion?: Scorecard['prior']) =>
    publishPolicy(storeOf(policy, fusion), gate(), policy, 'ann', undefined)
  const rollBack = (policy: Policy, fusion?: Scorecard['prior']) =>
    rollbackPolicy(storeOf(policy, fusion), gate(), 'ann')
  const policy = { ...defaultPolicy(), examples: [], ...holding(0.15) }

  it.each([
    ['publishing', publish],
    ['rolling back', rollBack],
  ])('%s warns by the fusion that decides, and where none was promoted by the one that ships', async (_, activate) => {
    expect((await activate(policy, prior([['shop-b', 0.2]]))).warnings).toEqual([
      expect.stringContaining('listings of shop-b begin at a risk of 0.2'),
    ])
    expect((await activate(policy)).warnings).toEqual([])
    const { probability } = parts.scorecard.prior
    expect((await activate({ ...policy, ...holding(probability) })).warnings).toEqual([
      expect.stringContaining(`listings begin at a risk of ${probability}`),
    ])
  })
})
