// A listing tried while one signal is slow. Real: all signals, the scorecard and the policy that ship; the text model's answer, some signals and the clock are invented.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { shippedTextCard } from '../../../src/apps/text-models.ts'
import { brandSchema } from '../../../src/domain/brand.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import { assess } from '../../../src/pipeline/assess.ts'
import { assessed } from '../../../src/pipeline/assessed.ts'
import { compileGate, type GateParts } from '../../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { Finding } from '../../../src/signals/signal.ts'
import type { TextModel } from '../../../src/signals/text-model/ports.ts'
import { signal } from '../../support/made-up-signal.ts'

const BUDGET_MS = 500
const LONGER_MS = 984

const card = await shippedTextCard()
const brand = brandSchema.parse({ brandId: 'nord', name: 'Atelier Nord', authorisedSellers: ['S-official'] })
const listing: Listing = {
  listingId: 'L-1',
  revision: 1,
  marketplace: card.trained.marketplaces[0] ?? '',
  sellerId: 'S-official',
  title: 'Atelier Nord handbag, 1:1 mirror quality replica',
}

let parts: GateParts
beforeEach(async () => {
  parts = await gateParts({ currencies: undefined, budgetMs: BUDGET_MS })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => vi.useRealTimers())

const gateOf = (more: Partial<GateParts>, policy = defaultPolicy()) =>
  compileGate({ ...parts, ...more }, { change: 1n, brands: [brand], policy })

const model = (score: () => Promise<number>): TextModel => ({
  version: 'test',
  card,
  score: async ({ ids }) => ({ score: await score(), shares: new Float32Array(ids.length) }),
})
const later = async (milliseconds: number, score: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  return score
}
const abstained: Finding = { state: 'abstained', evidence: {} }
const statesOf = (signals: readonly { name: string; state: string }[]) =>
  Object.fromEntries(signals.map(({ name, state }) => [name, state]))

it('a model that never answers in time costs its own signal, and the seller’s authorisation still decides', async () => {
  const trying = assess(gateOf({ textModel: model(() => later(LONGER_MS, 0.5)) }), listing, new Date(), [])
  await vi.advanceTimersByTimeAsync(BUDGET_MS)
  const { risk, answer } = await trying
  expect(statesOf(risk.signals)).toEqual({
    ...statesOf((await assess(gateOf({}), listing, new Date(), [])).risk.signals),
    'text-model': 'failed',
  })
  expect(answer).toMatchObject({ outcome: 'allow', decidedBy: 'authorised-seller', degraded: true })
  expect(answer.rules.filter((rule) => rule.error !== undefined)).toEqual([])
})

it('nor do the rules pay for a model whose answer was heard late, because the machine stood still', async () => {
  const late = model(() => {
    vi.advanceTimersByTime(LONGER_MS)
    return Promise.resolve(0.5)
  })
  const { risk, answer } = await assess(gateOf({ textModel: late }), listing, new Date(), [])
  expect(statesOf(risk.signals)['text-model']).toBe('scored')
  expect(answer).toMatchObject({ outcome: 'allow', decidedBy: 'authorised-seller', degraded: false })
})

it('signals that wait do so beside each other: whoever is behind a slow one has all of its own time', async () => {
  const asked: string[] = []
  const waiting = (name: string, milliseconds: number) =>
    signal(name, async () => {
      asked.push(name)
      await later(milliseconds, 0)
      return abstained
    })
  const signals = [
    waiting('hangs', 1e9),
    waiting('slow', BUDGET_MS - 1),
    signal('quick', () => abstained),
    waiting('as slow', BUDGET_MS - 1),
  ]
  const trying = assess(gateOf({ signals }), listing, new Date(), [])
  expect(asked).toEqual(['hangs', 'slow', 'as slow'])
  await vi.advanceTimersByTimeAsync(BUDGET_MS)
  expect(statesOf((await trying).risk.signals)).toEqual({
    hangs: 'failed',
    slow: 'abstained',
    quick: 'abstained',
    'as slow': 'abstained',
  })
})

it('what signals compute has a bound together, and what one throws reaches whoever tries the listing', async () => {
  const computing = (name: string) =>
    signal(name, () => {
      vi.advanceTimersByTime(BUDGET_MS / 2)
      return abstained
    })
  const signals = ['one', 'two', 'three'].map(computing)
  expect(statesOf((await assess(gateOf({ signals }), listing, new Date(), [])).risk.signals)).toEqual({
    one: 'abstained',
    two: 'abstained',
    three: 'failed',
  })
  const throws = signal('throws', () => {
    throw new Error('a bug of ours')
  })
  await expect(assess(gateOf({ signals: [throws, throws] }), listing, new Date(), [])).rejects.toThrow('a bug of ours')
})

it('rules have a bound of their own, and a seller who is held meanwhile is told what was not looked at', async () => {
  const policy = defaultPolicy()
  const gate = gateOf({})
  const rules = gate.policy.rules.map((one, i) => ({
    ...one,
    when: {
      evaluate: (facts: Parameters<typeof one.when.evaluate>[0]) => {
        if (i === 0) vi.advanceTimersByTime(BUDGET_MS)
        return i === 0 ? { applies: false } : one.when.evaluate(facts)
      },
    },
    rule: { ...one.rule, mode: 'enforce' as const },
  }))
  const assessment = await assess({ ...gate, policy: { ...gate.policy, rules } }, listing, new Date(), [])
  expect(assessment.answer.rules.map(({ ruleId, error }) => [ruleId, error?.includes('time budget')])).toEqual(
    policy.rules.slice(1).map(({ ruleId }) => [ruleId, true]),
  )
  expect(assessment.passing).toBe(true)
  const said = assessed(assessment, { outcome: assessment.answer.outcome, openCase: null, inReview: false })
  expect(said.outcome).not.toBe('allow')
  expect(said.reasons.map(({ code }) => code)).toContain('rule-not-tried')
})

it('and a failed signal is named beside the small signs that hold a listing anyway', async () => {
  const scored = signal('wording', () => ({ state: 'scored', score: 1, reasons: [], evidence: {} }))
  const failed = signal('text-model', () => ({ state: 'failed', evidence: {} }))
  const assessment = await assess(
    gateOf({ signals: [scored, failed] }),
    { ...listing, sellerId: 'S-2' },
    new Date(),
    [],
  )
  expect(assessment.answer.seenAlone).not.toBe('allow')
  const said = assessed(assessment, { outcome: assessment.answer.outcome, openCase: null, inReview: false })
  expect(said.reasons.map(({ code }) => code)).toEqual(['needs-a-look', 'check-unavailable'])
})
