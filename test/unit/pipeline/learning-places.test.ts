// A training on two marketplaces, one with many fakes and one with few, and what may decide on each. Real: training, cards,
// fusion, text model, the promotion; made up: what people said, and a registry in memory.
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { fuse } from '../../../src/risk/fuse.ts'
import type { LabelledListing } from '../../../src/learning/ports.ts'
import { split } from '../../../src/learning/split.ts'
import { trainText } from '../../../src/learning/text/train-text.ts'
import { patternOf, trainingSet } from '../../../src/learning/training-set.ts'
import { sideBySide } from '../../../src/pipeline/learning/card.ts'
import { cardObjections, losses, objections } from '../../../src/pipeline/learning/objections.ts'
import { unseenBy } from '../../../src/pipeline/learning/unseen.ts'
import type { PlaceFigures } from '../../../src/pipeline/learning/places.ts'
import { withText } from '../../../src/pipeline/learning/text-scores.ts'
import { train, type TrainedModel, type TrainingOptions } from '../../../src/pipeline/learning/train.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'
import { at, labelled, trainingOptions, wordFor } from '../learning/labelled.ts'

const THRESHOLDS = { hold: 0.2, block: 0.9 }
let parts: GateParts
let options: TrainingOptions
beforeAll(async () => {
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  options = trainingOptions(parts, THRESHOLDS)
})

/** Everything was drawn for the audit: nothing but the words tells fakes from the rest, and no signal knows them yet. */
const drawn = (marketplace: string, count: number, from: number, isFake: (i: number) => boolean): LabelledListing[] =>
  Array.from({ length: count }, (_, i) => {
    const [id, sellerId] = [`${marketplace}-${i}`, `seller ${isFake(i)} of ${marketplace} ${Math.floor(i / 2)}`]
    const title = isFake(i)
      ? `leather shoulder bag, workshop batch x${wordFor(i)}, ships from the atelier`
      : `old wooden garden chair, from our house y${wordFor(i)}, repainted`
    const listing: Listing = { listingId: id, revision: 1, sellerId, marketplace, title }
    const label = isFake(i) ? 'confirmed' : 'rejected'
    return labelled(id, label, { listing, sellerId, marketplace, drawn: true, at: at(from + i) })
  })
const half = (i: number) => i % 2 === 0
const tenth = (i: number) => i % 10 === 0
/** First 240 of the one, half of them fakes, then 700 of the other. */
const bazaarThenSouk = () => [...drawn('bazaar', 240, 0, half), ...drawn('souk', 700, 1_000, tenth)]

const modelOf = (trained: readonly TrainedModel[], name: string): TrainedModel => {
  const model = trained.find(({ card }) => card.name === name)
  if (model === undefined) throw new Error(`no ${name} was made`)
  return model
}
const scorecardOf = ({ body }: TrainedModel) => parseScorecard(Buffer.from(body).toString())

describe('where half of one marketplace was confirmed, and a tenth of the next', () => {
  test('an honest listing against which nothing speaks is allowed on both, and a fake is not', async () => {
    const labels = bazaarThenSouk()
    const { trained } = await train(labels, options)
    const card = scorecardOf(modelOf(trained, 'fusion'))
    const text = trainText(split(trainingSet(labels), options.seed).learn, { seed: options.seed })
    const riskOf = (row: LabelledListing) => fuse(card, withText(row, text.score(row.listing)), row.marketplace).risk
    for (const marketplace of ['bazaar', 'souk']) {
      const own = labels.filter((row) => row.marketplace === marketplace)
      const risks = own.filter((row) => row.label === 'rejected').map(riskOf)
      expect(Math.max(...risks)).toBeLessThan(THRESHOLDS.hold)
      const found = own.filter((row) => row.label === 'confirmed').filter((row) => riskOf(row) >= THRESHOLDS.hold)
      expect(found.length).toBe(own.filter((row) => row.label === 'confirmed').length)
    }
  })
})

test('each marketplace is learnt from and measured on, whichever was judged first, and the card tells them apart', async () => {
  const labels = bazaarThenSouk()
  const { trained } = await train(labels, options)
  const [fusion, text] = [modelOf(trained, 'fusion').card, modelOf(trained, 'text').card]
  const { learn, heldOut, boundary } = split(trainingSet(labels), options.seed)
  for (const marketplace of ['bazaar', 'souk']) {
    const line = boundary.places?.find((one) => one.marketplace === marketplace)
    const [learnt, held] = [learn, heldOut].map((rows) => rows.filter((row) => row.marketplace === marketplace))
    expect(learnt?.every((row) => row.at <= (line?.from ?? ''))).toBe(true)
    expect(held?.every((row) => row.at >= (line?.from ?? ''))).toBe(true)
    expect(held?.length).toBeGreaterThan(20)
    const { places } = (fusion.measured as unknown as { comparison: { places: PlaceFigures[] } }).comparison
    expect(places.find((one) => one.marketplace === marketplace)).toMatchObject({
      rows: held?.length,
      honest: { hold: { candidate: { count: 0 }, more: false } },
    })
  }
  expect(text.measured).toMatchObject({ unmeasured: [] })
  expect(objections(fusion, { text: text.version })).toEqual([])
  expect(cardText(fusion)).toMatch(
    /Of listings of bazaar \d+ \(\d+ confirmed\); of the \d+ honest ones this version stops 0 /,
  )
  // Later too: what was held out of each is what it did not learn from.
  const spoken = labels.map((label) => ({ ...label, pattern: patternOf(label) }))
  const ids = (rows: readonly LabelledListing[]) => rows.map((row) => row.listing.listingId)
  for (const card of [fusion, text]) expect(ids(unseenBy({ labels, spoken }, card).rows)).toEqual(ids(heldOut))
})

describe('the promotion is told', () => {
  test('of a marketplace that a version learnt from and of which too little was held out, by the fusion and by the text model', async () => {
    // Too few for a line of its own, and all before the others.
    const labels = [...drawn('bazaar', 18, 0, half), ...drawn('souk', 300, 1_000, tenth)]
    const { trained } = await train(labels, options)
    const [fusion, text] = [modelOf(trained, 'fusion').card, modelOf(trained, 'text').card]
    expect(cardObjections(fusion)).toEqual([
      expect.stringMatching(
        /^it learnt from 18 listings of bazaar, and what was held out says too little .*: 0 of 0 sellers/,
      ),
    ])
    expect(cardObjections(text)).toEqual([
      expect.stringMatching(/speaks on listings of bazaar, where it was not measured/),
    ])
    expect(cardText(fusion)).toMatch(/Against it: it learnt from 18 listings of bazaar/)
    const { learntFrom: _, ...older } = fusion.measured
    expect(cardObjections({ ...fusion, measured: older })).toEqual([
      expect.stringMatching(/bazaar, souk.*train once more/),
    ])
  })

  test('of the honest that a version stops on one marketplace, though they are too few to show among all', () => {
    const rows = [...drawn('souk', 600, 0, tenth), ...drawn('bazaar', 6, 0, half)].map((l) => ({ ...l, fitWeight: 1 }))
    const own = { marketplace: 'bazaar', probability: 0.3, source: 'made up' }
    const candidate = { ...parts.scorecard, prior: { ...parts.scorecard.prior, marketplaces: [own] } }
    const { comparison } = sideBySide({
      candidate: { scorecard: candidate, rows },
      champion: { scorecard: parts.scorecard, rows },
      thresholds: THRESHOLDS,
    })
    expect(comparison.honest.hold.more).toBe(false)
    expect(comparison.standing).toBe('worse')
    expect(losses({ measured: { comparison } })).toEqual([
      'of listings of bazaar it stops 100.0 % (3 of 3) of the honest listings that neither had seen, and version, which decided then, 0.0 % (0 of 3)',
    ])
  })
})
