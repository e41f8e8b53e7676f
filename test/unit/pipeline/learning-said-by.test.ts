// A brand holder who confirms everything. Real: a training and its cards, what is said of them; made up: the labels.
import { expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { LabelledListing } from '../../../src/learning/ports.ts'
import { oneSided, saidBy } from '../../../src/pipeline/learning/said-by.ts'
import { train } from '../../../src/pipeline/learning/train.ts'
import { story } from '../learning/labelled.ts'

const [ann, holder] = [
  { subject: 'ann', role: 'analyst' },
  { subject: 'holder', role: 'brand' },
]
const cardsOf = async (who: (label: LabelledListing, i: number) => LabelledListing['saidBy']) => {
  const { scorecard } = await gateParts({ currencies: undefined, budgetMs: 250 })
  const { trained } = await train(
    story(120).map((l, i) => ({ ...l, saidBy: who(l, i) })),
    {
      seed: 7,
      models: ['fusion', 'text'],
      shipped: scorecard,
      champion: { fusion: scorecard, hears: async (rows) => rows, text: null, scores: async () => [] },
      thresholds: { hold: 0.5, block: 0.9 },
    },
  )
  expect(trained).toHaveLength(2)
  return trained.map(({ card }) => card)
}

test('stands on the card of every version that learnt from it, without a name, and is told to who promotes', async () => {
  for (const card of await cardsOf(({ label }) => (label === 'confirmed' ? holder : ann))) {
    expect(oneSided(card)).toEqual([expect.stringMatching(/^42 of the 42 confirmed .* by one who rejected nothing/)])
    expect(cardText(card)).toMatch(/Said by 2 people; most by one of the role (brand|analyst), 42 of 84/)
    expect(cardText(card)).toContain('Look at it: 42 of the 42 confirmed')
    expect(JSON.stringify(card)).not.toContain('holder')
  }
})

test('is not said where they reject too, nor where others confirmed as much', async () => {
  for (const card of await cardsOf((_, i) => (i % 4 < 2 ? holder : ann))) {
    expect(oneSided(card)).toEqual([])
    expect(cardText(card)).not.toContain('Look at it')
  }
  const said = (role: string, label: 'confirmed' | 'rejected', count: number) =>
    Array.from({ length: count }, () => ({ saidBy: { subject: role, role }, label }))
  expect(saidBy([...said('brand', 'confirmed', 9), ...said('analyst', 'rejected', 20)])).toEqual({
    people: 2,
    loudest: { role: 'analyst', rows: 20, confirmed: 0 },
    neverRejected: { people: 0, confirmed: 0 },
    confirmed: 9,
  })
  const shared = [
    ...said('brand', 'confirmed', 10),
    ...said('analyst', 'confirmed', 10),
    ...said('analyst', 'rejected', 1),
  ]
  expect(oneSided({ measured: { learntFrom: { rows: 21, saidBy: saidBy(shared) } } })).toEqual([])
})
