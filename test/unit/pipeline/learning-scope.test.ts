// Verdicts of two marketplaces, and what they change on others. Real: training, cards, promotion, and the gate that ships with
// its brands, prices and policy; made up: what people said, and a registry in memory.
import { beforeAll, describe, expect, test } from 'vitest'
import { cardText } from '../../../src/apps/model-text.ts'
import { shippedGate } from '../../../src/apps/shipped-gate.ts'
import { decisionSchema } from '../../../src/domain/decision.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import type { ModelCard } from '../../../src/domain/model.ts'
import type { Scorecard } from '../../../src/domain/scorecard.ts'
import { topicNames } from '../../../src/events/topics.ts'
import type { LabelledListing, ModelRecord, ModelStore } from '../../../src/learning/ports.ts'
import { assess, type Gate } from '../../../src/pipeline/assess.ts'
import { decideAlone } from '../../../src/pipeline/deciding.ts'
import { cardObjections } from '../../../src/pipeline/learning/objections.ts'
import { promoteModels } from '../../../src/pipeline/learning/promote.ts'
import { changedElsewhere } from '../../../src/pipeline/learning/scope-said.ts'
import { train, type TrainedModel } from '../../../src/pipeline/learning/train.ts'
import { readFusion } from '../../../src/pipeline/models.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { ReferenceData } from '../../../src/rights/ports.ts'
import { at, labelled, scored, trainingOptions, wordFor } from '../learning/labelled.ts'

let gate: Gate
beforeAll(async () => {
  gate = await shippedGate({ currencies: undefined, budgetMs: 60_000 })
})

/** Bargains of a much-copied brand are honest here, and fakes say what they are. */
const verdicts = (marketplace: string, count: number, from: number): LabelledListing[] =>
  Array.from({ length: count }, (_, i) => {
    const [fake, sellerId] = [i % 2 === 0, `${marketplace} ${i % 2} ${Math.floor(i / 4)}`]
    const listing: Listing = {
      listingId: `${marketplace}-${i}`,
      revision: 1,
      sellerId,
      marketplace,
      title: `${fake ? 'super clone bag' : 'bag from my wardrobe'} ${wordFor(from + i)}`,
    }
    const signals = fake ? [scored('wording', 0.6)] : [scored('price', 1), scored('brand', 0.2)]
    return labelled(listing.listingId, fake ? 'confirmed' : 'rejected', {
      listing,
      sellerId,
      marketplace,
      at: at(from + i),
      signals,
    })
  })
const bag = (amount: number, marketplace?: string): Listing => ({
  listingId: 'bag',
  revision: 1,
  sellerId: 'a seller',
  title: 'Gucci Marmont shoulder bag, new',
  price: { amount, currency: 'USD' },
  ...(marketplace === undefined ? {} : { marketplace }),
})

const trainBeside = async (champion: Scorecard, labels: readonly LabelledListing[]) => {
  const options = trainingOptions(gate, defaultPolicy().thresholds)
  const { trained } = await train(labels, {
    ...options,
    models: ['fusion'],
    champion: { ...options.champion, fusion: champion },
  })
  const [model] = trained
  if (model === undefined) throw new Error('nothing was trained')
  return { ...model, scorecard: readFusion(model.card, model.body, gate.signals) }
}
const tried = async (scorecard: Scorecard, listing: Listing) => {
  const { risk, answer } = await assess({ ...gate, scorecard }, listing, new Date(0), [])
  return { risk: risk.risk, outcome: answer.outcome }
}

const promoted = async (model: TrainedModel, deciding?: TrainedModel) => {
  const recordOf = ({ card }: TrainedModel, active: boolean) =>
    ({ name: 'fusion', version: card.version, card, active }) as unknown as ModelRecord
  const records = [recordOf(model, false), ...(deciding === undefined ? [] : [recordOf(deciding, true)])]
  const store: Pick<ModelStore, 'find' | 'body' | 'active' | 'list' | 'promote'> = {
    find: async (_, version) => records.find((one) => one.version === version),
    body: async () => model.body,
    active: async () => records.filter((one) => one.active),
    list: async () => records,
    promote: async (name, version) => ({ name, version, before: null, change: 2n }),
  }
  return promoteModels(
    {
      store: store as ModelStore,
      reference: { load: async () => ({ policy: defaultPolicy() }) as unknown as ReferenceData },
      signals: gate.signals,
      shipped: { fusion: gate.scorecard.version, text: null },
    },
    { fusion: model.card.version },
    { by: 'ann', force: false },
  )
}

const submittedAt = new Date(0).toISOString()

const both = () => [...verdicts('alpha', 120, 0), ...verdicts('beta', 120, 1_000), ...verdicts('gamma', 2, 2_000)]

describe('after 242 verdicts, all but two of them on two marketplaces', () => {
  test('a cheap bag is let through where people call such bags honest, and held everywhere else as it was before', async () => {
    const { scorecard } = await trainBeside(gate.scorecard, both())
    for (const amount of [60, 80, 100]) {
      const before = await tried(gate.scorecard, bag(amount))
      expect(before.outcome).toBe('hold')
      for (const known of ['alpha', 'beta']) expect((await tried(scorecard, bag(amount, known))).outcome).toBe('allow')
      for (const other of ['gamma', 'delta', undefined])
        expect(await tried(scorecard, bag(amount, other))).toEqual(before)
    }
  })

  test('the card and the promotion say where it decides, and that elsewhere goes on what did; nothing speaks against it', async () => {
    const model = await trainBeside(gate.scorecard, both())
    const line =
      'It decides on listings of alpha, listings of beta; of others it has learnt too little, and what decided there goes on: version 2 on all others'
    expect(cardText(model.card)).toContain(`${line}.`)
    expect(cardObjections(model.card)).toEqual([])
    expect(await promoted(model)).toMatchObject({ scope: line, overruled: [], warnings: [] })
  })

  test('a decision names the version that decides and, where that carries an earlier one that decided there, that one too', async () => {
    const first = await trainBeside(gate.scorecard, both())
    const { scorecard } = await trainBeside(first.scorecard, verdicts('delta', 120, 0))
    const versionsAt = async (place: string | undefined) => {
      const assessment = await assess({ ...gate, scorecard }, bag(100, place), new Date(0), [])
      const { models, modelParts } = decisionSchema.parse(
        decideAlone(
          {
            kind: 'listing',
            listing: bag(100, place),
            bound: false,
            contentHash: '0'.repeat(64),
            submittedAt,
            assessment,
          },
          topicNames('t'),
          new Date(0),
        ),
      )
      return [models['fusion'], modelParts]
    }
    expect(await versionsAt('delta')).toEqual([scorecard.version, undefined])
    expect(await versionsAt('alpha')).toEqual([scorecard.version, { fusion: first.scorecard.version }])
    for (const place of ['gamma', undefined])
      expect(await versionsAt(place)).toEqual([scorecard.version, { fusion: gate.scorecard.version }])
  })

  test('a fusion for other marketplaces leaves these to the version that learnt there, and says so', async () => {
    const first = await trainBeside(gate.scorecard, both())
    const second = await trainBeside(first.scorecard, verdicts('delta', 120, 0))
    for (const place of ['alpha', 'beta', 'gamma', undefined])
      expect(await tried(second.scorecard, bag(100, place))).toEqual(await tried(first.scorecard, bag(100, place)))
    expect((await tried(second.scorecard, bag(100, 'delta'))).outcome).toBe('allow')
    const { scope, warnings } = await promoted(second, first)
    expect(scope).toContain(
      `version ${first.card.version} on listings of alpha, listings of beta, version 2 on all others`,
    )
    expect(warnings).toEqual([])
  })
})

test('a base that its champion has learnt is not held against a version that learnt elsewhere', async () => {
  const own = { marketplace: 'alpha', probability: 0.5, source: 'promoted by force' }
  const champion = await trainBeside(gate.scorecard, verdicts('alpha', 120, 0))
  const prior = { ...champion.scorecard.prior, marketplaces: [own] }
  const second = await trainBeside({ ...champion.scorecard, prior }, verdicts('beta', 120, 0))
  expect(second.card['prior']).toMatchObject({ marketplaces: [own] })
  expect(await promoted(second, champion)).toMatchObject({ overruled: [], warnings: [] })
})

describe('whoever promotes is warned', () => {
  test('that a version which was trained beside another one changes who decides where it learnt nothing', async () => {
    const first = await trainBeside(gate.scorecard, both())
    const apart = await trainBeside(gate.scorecard, verdicts('beta', 120, 0))
    expect((await promoted(apart, first)).warnings).toEqual([
      expect.stringContaining('its card compares'),
      expect.stringMatching(
        `changes who decides where it learnt nothing: listings of alpha from ${first.card.version} to 2\\. `,
      ),
    ])
    const onOld = await trainBeside({ ...gate.scorecard, version: 'old' }, both())
    expect(changedElsewhere(onOld.card, undefined, '2')).toEqual([
      expect.stringContaining(': listings of all other marketplaces from 2 to old. '),
    ])
    expect(changedElsewhere(first.card, first.card, '2')).toEqual([])
  })

  test('that a version from before there was a scope decides everywhere; one that was set by hand is meant to', async () => {
    const { card } = await trainBeside(gate.scorecard, both())
    const { scope: _, ...old } = card as ModelCard & { scope: unknown }
    expect(changedElsewhere(old, undefined, '2')).toEqual([expect.stringMatching(/it decides on every marketplace/)])
    expect(cardText(old)).not.toContain('It decides on')
    // It decides already.
    expect(changedElsewhere(old, old, '2')).toEqual([])
    expect(changedElsewhere({ ...old, trained: { ...old.trained, rows: 0 } }, undefined, '2')).toEqual([])
  })
})

test('a version that carries one which knows an enforced signal no more is refused', async () => {
  const model = await trainBeside(gate.scorecard, both())
  const { wording: _, ...signals } = gate.scorecard.signals
  const { scope } = model.scorecard
  if (scope === undefined) throw new Error('it has a scope')
  const elsewhere = { version: '0', signals }
  const body = Buffer.from(JSON.stringify({ ...model.scorecard, scope: { ...scope, elsewhere } }))
  expect(() => readFusion(model.card, body, gate.signals)).toThrow(
    /wording is enforced and has no knots in the scorecard 0 that the scorecard v\w+ carries/,
  )
})
