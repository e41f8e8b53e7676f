// What a text model is worth on each marketplace, and what speaks against it. Real: training, figures, cards; made up: what people said.
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { ModelCard } from '../../../src/domain/model.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import type { LabelledListing } from '../../../src/learning/ports.ts'
import { trainingSet } from '../../../src/learning/training-set.ts'
import { textFigures } from '../../../src/pipeline/learning/card.ts'
import { cardObjections, losses } from '../../../src/pipeline/learning/objections.ts'
import { unmeasuredOf } from '../../../src/pipeline/learning/places.ts'
import { train, type TrainingOptions } from '../../../src/pipeline/learning/train.ts'
import { at, labelled, trainingOptions, wordFor } from '../learning/labelled.ts'

let options: TrainingOptions
beforeAll(async () => {
  options = trainingOptions(await gateParts({ currencies: undefined, budgetMs: 250 }), { hold: 0.5, block: 0.9 })
})

/** The words that are fakes' are `turned` from `turnsAt` on: what was learnt before says the contrary of it. */
const said = (marketplace: string | null, count: number, turnsAt = count): LabelledListing[] =>
  Array.from({ length: count }, (_, i) => {
    const [id, sellerId] = [`${marketplace}-${i}`, `seller ${i % 2} of ${marketplace} ${Math.floor(i / 4)}`]
    const loud = i % 2 === 0
    const listing: Listing = {
      listingId: id,
      revision: 1,
      sellerId,
      title: `${loud ? 'super clone watch of' : 'garden chair for'} ${marketplace} ${wordFor(i)}`,
    }
    const label = loud === i < turnsAt ? 'confirmed' : 'rejected'
    return labelled(id, label, { listing, sellerId, marketplace, at: at(i) })
  })
const textCardOf = async (labels: readonly LabelledListing[], champion = options.champion): Promise<ModelCard> => {
  const { trained } = await train(labels, { ...options, champion })
  const text = trained.find(({ card }) => card.name === 'text')
  if (text === undefined) throw new Error('no text model was made')
  return text.card
}

describe('a text model that takes the honest for fakes on one marketplace', () => {
  test('is worse, however well it does on the others and in all, and says where', async () => {
    const card = await textCardOf([...said('bazaar', 240), ...said('flip', 120, 80)])
    expect(card.measured).toMatchObject({
      comparison: { standing: 'worse' },
      places: [
        { marketplace: 'bazaar', auc: { value: 1 } },
        { marketplace: 'flip', auc: { value: 0 } },
      ],
    })
    expect((card.measured as { heldOut: { auc: number } }).heldOut.auc).toBeGreaterThan(0.5)
    expect(cardObjections(card)).toEqual([
      expect.stringMatching(/^of listings of flip it tells fakes from honest ones worse than chance: ROC AUC 0 \[/),
    ])
    expect(cardText(card)).toMatch(/Against it: of listings of flip .* worse than chance/)
    expect(cardText(card)).toMatch(/Of listings of bazaar it scores \d+ \(\d+ confirmed\): ROC AUC 1 \[/)
  })

  test('is worse there beside the one that decides beyond chance only, and by one seller it is not measured', () => {
    const rows = trainingSet([...said('bazaar', 200), ...said('souk', 60)])
    const figures = (champion: (i: number) => number, sellerId?: string) => {
      const scored = rows.map((row, i) => ({
        ...row,
        ...(row.marketplace === 'souk' && row.label === 'rejected' && sellerId !== undefined && { sellerId }),
        candidate: row.label === 'confirmed' && !(row.marketplace === 'souk' && i % 3 !== 0) ? 0.9 : 0.1 + i / 10_000,
        champion: row.marketplace === 'souk' ? champion(i) : undefined,
      }))
      return textFigures(scored, { champion: '1' })
    }
    const right = (i: number) => (rows[i]?.label === 'confirmed' ? 0.9 : 0.1)
    const lost = losses({ measured: figures(right) })
    expect(lost[0]).toMatch(
      /^of listings of souk it tells fakes from honest ones less well than version 1: ROC AUC 0\./,
    )
    expect(losses({ measured: figures(() => 0.5) })).toEqual([])
    const { places } = figures(() => 0.5, 'the only one')
    expect(places.map(({ marketplace, fewestSellers }) => [marketplace, fewestSellers])).toEqual([
      ['bazaar', expect.any(Number) as number],
      ['souk', 1],
    ])
  })
})

test('a text model worse than chance beside one that abstained does not lose to that one: the words say what there is', async () => {
  const silent = { ...options.champion, text: '1', scores: async () => [] }
  const card = await textCardOf(said('flip', 120, 80), silent)
  expect(card.measured).toMatchObject({ comparison: { on: 0, standing: 'worse' } })
  expect(losses(card)).toEqual([
    expect.stringMatching(
      /^it tells fakes from honest listings worse than chance: ROC AUC 0 \[.*\] on the \d+ listings that it scored and had not seen; version 1, which decided then, scored none of them$/,
    ),
  ])
})

test('listings of no marketplace have a name on the card of a text model too', async () => {
  expect(cardText(await textCardOf(said(null, 120)))).toContain('; marketplaces: listings of no marketplace.')
  const both = await textCardOf([...said(null, 120), ...said('flip', 120)])
  expect(cardText(both)).toContain('; marketplaces: listings of no marketplace, flip.')
  expect(cardText(both)).toMatch(/Of listings of no marketplace it scores \d+/)
})

test('the card says of how many honest sellers a marketplace was learnt, by that name, and older cards are read', async () => {
  const { trained } = await train([...said('bazaar', 120), ...said('souk', 120)], options)
  const fusion = trained.find(({ card }) => card.name === 'fusion')?.card
  if (fusion === undefined) throw new Error('no fusion was made')
  const { learntFrom, comparison } = fusion.measured as unknown as Record<string, { places: object[] }>
  for (const side of [learntFrom, comparison])
    for (const place of side?.places ?? []) {
      expect(place).toMatchObject({ honestSellers: expect.any(Number) as number })
      expect(place).not.toHaveProperty('sellers')
    }
  expect(unmeasuredOf(fusion)).toEqual([])
  const older = JSON.parse(JSON.stringify(fusion).replaceAll('"honestSellers"', '"sellers"')) as ModelCard
  expect(unmeasuredOf(older)).toEqual([])
})
