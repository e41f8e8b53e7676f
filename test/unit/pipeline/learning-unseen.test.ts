// What a version did not learn from, told later. Real: the training that made it, its card, the split; made up: the labels.
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { ModelCard } from '../../../src/domain/model.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { JudgedRevision, LabelledListing, RecordedVerdict } from '../../../src/learning/ports.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { split } from '../../../src/learning/split.ts'
import { patternOf, trainingSet } from '../../../src/learning/training-set.ts'
import { fusionOnVerdicts } from '../../../src/pipeline/learning/compare.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { LearningStores } from '../../../src/pipeline/learning/run-training.ts'
import { mayHaveLearnt, unseenBy } from '../../../src/pipeline/learning/unseen.ts'
import { train, type TrainingOptions } from '../../../src/pipeline/learning/train.ts'
import { at, labelled, story, trainingOptions, wordFor } from '../learning/labelled.ts'

let options: TrainingOptions
beforeAll(async () => {
  const parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  options = trainingOptions(parts, { hold: 0.5, block: 0.9 })
})
/** As they are read of the store: with whom anybody spoke of. */
const read = (labels: readonly LabelledListing[]) => ({
  labels,
  spoken: labels.map((label) => ({ ...label, pattern: patternOf(label) })),
})
const ids = (rows: readonly LabelledListing[]) => rows.map((r) => r.listing.listingId)

test('where sellers return, a version is tried on what it was measured on, and not on what it learnt from, then or later', async () => {
  const of = (sellerId: string) => (l: LabelledListing) => ({ ...l, sellerId, listing: { ...l.listing, sellerId } })
  const late = (id: string, sellerId: string) =>
    of(sellerId)({ ...labelled(id, 'confirmed'), at: at(900), recordedAt: at(2_000) })
  const once = Array.from({ length: 12 }, (_, i) => of(`once-${i}`)(labelled(`once-${i}`, 'rejected', { at: at(1) })))
  const labels = [...story(120).map((l, i) => of(`S-${i % 30}`)(l)), ...once]
  const { learn, heldOut } = split(trainingSet(labels), options.seed)
  const card = (await train(labels, { ...options, models: ['fusion'] })).trained[0]?.card
  expect(heldOut.length).toBeGreaterThan(10)
  expect(ids(unseenBy(read(labels), card).rows)).toEqual(ids(heldOut))

  const [known, drawn] = [learn.find((r) => r.sellerId.startsWith('S-'))?.sellerId, heldOut[0]?.sellerId]
  const since = [late('known', known ?? ''), late('drawn', drawn ?? ''), late('new', 'nobody knew')]
  const returned = once.map((l) => late(`${l.listing.listingId} again`, l.sellerId))
  expect(ids(unseenBy(read([...labels, ...since, ...returned]), card).rows)).toEqual([...ids(heldOut), 'drawn', 'new'])
})

test('no later verdict makes a version be measured on a seller that it learnt from: on older listings, on newer ones, or taken back', async () => {
  const labels = story(200).map((l, i): LabelledListing => {
    const sellerId = `S-${i % 60}`
    return { ...l, sellerId, listing: { ...l.listing, sellerId } }
  })
  const { learn, heldOut, boundary } = split(trainingSet(labels), options.seed)
  const card = (await train(labels, { ...options, models: ['fusion'] })).trained[0]?.card
  const learnt = new Set(learn.map((r) => r.sellerId))
  const again = (id: string, sellerId: string, minute: number) =>
    labelled(id, 'confirmed', { sellerId, at: at(minute), recordedAt: at(3_000) })
  // Said after the training, of listings that were decided before it, on both sides of the boundary.
  const since = [...learnt].flatMap((sellerId) => [
    again(`old of ${sellerId}`, sellerId, 0),
    again(`new of ${sellerId}`, sellerId, 199),
  ])
  const whole = read([...labels, ...since])
  const kept = (l: LabelledListing) => l.at > boundary.from || !learnt.has(l.sellerId)
  const takenBack = { labels: whole.labels.filter(kept), spoken: whole.spoken }
  for (const now of [whole, takenBack]) {
    const { rows } = unseenBy(now, card)
    expect(rows.filter((r) => learnt.has(r.sellerId)).map((r) => r.listing.listingId)).toEqual([])
    expect(rows.map((r) => r.listing.listingId)).toEqual(heldOut.map((r) => r.listing.listingId))
  }
})

describe('words that a version may have learnt', () => {
  const labels = story(200).map((l, i): LabelledListing => ({ ...l, sellerId: `S-${i}` }))
  const copyOf = ({ listing }: LabelledListing, i: number, more: Partial<LabelledListing> = {}) =>
    labelled(`copy-${i}`, 'confirmed', {
      sellerId: `copier-${i}`,
      at: at(900),
      recordedAt: at(2_000),
      ...more,
      listing: { ...listing, listingId: `copy-${i}`, title: `${listing.title}, ${i}.50!` },
    })

  test('flatter it in no copy, whoever wrote it, with another number or price, though the verdict was taken back', async () => {
    const { learn, heldOut } = split(trainingSet(labels), options.seed)
    const card = (await train(labels, { ...options, models: ['fusion'] })).trained[0]?.card
    if (card === undefined) throw new Error('nothing was trained')
    const [known, unknown] = [
      learn.slice(0, 20).map((l, i) => copyOf(l, i)),
      heldOut.slice(0, 4).map((l, i) => copyOf(l, i + 50)),
    ]
    const whole = read([...labels, ...known, ...unknown])
    expect(unseenBy(whole, card)).toMatchObject({
      labels: 224,
      leftOut: { earlier: learn.length, sellers: 0, words: 20 },
    })
    expect(ids(unseenBy(whole, card).rows)).toEqual([...ids(heldOut), ...ids(unknown)])
    const takenBack = {
      labels: whole.labels.filter((l) => !learn.some((r) => r.listing.listingId === l.listing.listingId)),
      spoken: whole.spoken,
    }
    expect(ids(unseenBy(takenBack, card).rows)).toEqual([...ids(heldOut), ...ids(unknown)])
    // A card of the time when numbers made other words does not know which were kept apart.
    const { words: _, ...before } = (card.measured as { heldOut: Record<string, string> }).heldOut
    const old = { ...card, measured: { heldOut: before } } as unknown as ModelCard
    expect(ids(unseenBy(whole, old).rows)).toEqual([...ids(heldOut), ...ids(unknown)])
    const both = [...labels, copyOf(heldOut[0] as LabelledListing, 99, { at: at(0), recordedAt: at(3_000) })]
    expect(ids(unseenBy(read(both), old).rows)).not.toContain(heldOut[0]?.listing.listingId)
  })

  test('where they stand on both sides, were learnt or held out as the seed drew, and stay so', async () => {
    const shared = labels.map((l, i) => ({
      ...l,
      listing: { ...l.listing, title: `${l.label} ${wordFor(i % 70)} no. ${i}` },
    }))
    const { learn, heldOut, leftOut } = split(trainingSet(shared), options.seed)
    const card = (await train(shared, { ...options, models: ['fusion'] })).trained[0]?.card
    expect(leftOut.words).toBeGreaterThan(20)
    expect(ids(unseenBy(read(shared), card).rows)).toEqual(ids(heldOut))
    const since = [...learn.slice(0, 5), ...heldOut.slice(0, 5)].map((l, i) => copyOf(l, i))
    expect(ids(unseenBy(read([...shared, ...since]), card).rows)).toEqual([
      ...ids(heldOut),
      ...since.slice(5).map((l) => l.listing.listingId),
    ])
  })
})

test('a seller whose only later label another one stood for was learnt from, though the seed draws it for the other side', async () => {
  const drawnFor = (side: 'learn' | 'heldOut', sellers: readonly string[]) => {
    const both = story(200).map((l, i): LabelledListing => ({ ...l, sellerId: sellers[i % sellers.length] ?? '' }))
    return new Set(split(trainingSet(both), options.seed)[side].map((r) => r.sellerId))
  }
  const [moved] = drawnFor(
    'heldOut',
    Array.from({ length: 60 }, (_, i) => `M-${i}`),
  )
  if (moved === undefined) throw new Error('nobody is held out')
  const labels = story(200).map((l, i): LabelledListing => ({ ...l, sellerId: i === 4 ? moved : `S-${i}` }))
  // Revision 1 was this seller's; revision 2, which stands for the listing, is another one's.
  const revision = (number: number, sellerId: string) =>
    labelled('moved', 'rejected', {
      sellerId,
      at: at(190 + number),
      listing: { listingId: 'moved', revision: number, sellerId, title: 'An old clock' },
    })
  const all = [...labels, revision(1, moved), revision(2, 'its new owner')]
  expect(split(trainingSet(all), options.seed).learn.map((r) => r.sellerId)).toContain(moved)
  const card = (await train(all, { ...options, models: ['fusion'] })).trained[0]?.card
  const later = labelled('later', 'confirmed', { sellerId: moved, at: at(900), recordedAt: at(2_000) })
  expect(unseenBy(read([...all, later]), card).rows.map((r) => r.sellerId)).not.toContain(moved)
})

test('of a card that was made when verdicts had the time only what was decided after all of them counts as unseen', () => {
  const made = { trained: { until: at(50), seed: 7 }, measured: { heldOut: { from: at(51), last: at(80) } } }
  const of = (id: string, sellerId: string, minute: number) =>
    labelled(id, 'confirmed', { sellerId, at: at(minute), recordedAt: at(minute + 10) })
  const { rows } = unseenBy(read([of('a', 'A', 45), of('b', 'B', 52), of('c', 'A', 60)]), made as unknown as ModelCard)
  expect(rows.map((r) => r.listing.listingId)).toEqual(['b'])
})

test('a version is not beaten by one that knows the rows by heart: an older one, or one of another seed', async () => {
  const labels = story(400).map((l, i): LabelledListing => ({ ...l, sellerId: `S-${i}` }))
  const fusion = async (some: readonly LabelledListing[], more: Partial<TrainingOptions> = {}) => {
    const { trained } = await train(some, { ...options, models: ['fusion'], ...more })
    const [made] = trained
    if (made === undefined) throw new Error('nothing was trained')
    return made
  }
  // The older one was made of the first 200; the one that decides of all.
  const [older, deciding] = [await fusion(labels.slice(0, 200)), await fusion(labels)]
  const judged = labels.map((l): JudgedRevision => {
    const id = decisionId(l.listing.listingId, 1, 1)
    const decision = { decisionId: id, stage: 'screening', audit: false, policy: { version: 7 }, signals: l.signals }
    const verdict = {
      verdictId: id,
      decisionId: id,
      verdict: l.label,
      by: l.saidBy,
      at: l.at,
      recordedAt: l.recordedAt,
    }
    return {
      ...l,
      verdicts: [verdict as RecordedVerdict],
      decisions: [{ ...decision, decidedAt: l.at } as unknown as Decision],
    }
  })
  const all = [older, deciding]
  const policy = { ...defaultPolicy(), version: 7 }
  const stores = {
    // As the registry gives it: what is active comes with its card beside its name.
    reference: {
      policies: async () => [{ policy }],
      load: async () => ({ policy, models: [{ ...deciding.card, card: deciding.card }] }),
    },
    labels: { judged: () => ReadableStream.from(judged) },
    draw: async () => createDraw(''),
    models: {
      find: async (_: string, version: string) => all.find(({ card }) => card.version === version),
      body: async (_: string, version: string) => all.find(({ card }) => card.version === version)?.body,
    },
  } as unknown as LearningStores
  const { signals, scorecard } = await gateParts({ currencies: undefined, budgetMs: 250 })
  const nobody = () => Promise.reject(new Error('none is asked'))
  const shipped = { signals, scorecard, text: null }
  const compared = await fusionOnVerdicts(stores, shipped, nobody, { version: older.card.version })
  const heldOut = split(trainingSet(labels), options.seed).heldOut.length
  expect(compared).toMatchObject({ labels: 400, rows: heldOut, leftOut: { decidedEarlier: 140 } })
  expect(compared.leftOut.learntByTheOther).toBe(400 - 140 - heldOut)

  // Of another seed the sellers who stand on both sides were learnt from.
  const sellers = labels.map((l, i) => ({ ...l, sellerId: `S-${i % 80}` }))
  const other = await fusion(sellers, { seed: 8 })
  const isLearnt = mayHaveLearnt(read(sellers), other.card)
  const champion = { ...options.champion, mayHaveLearnt: { fusion: isLearnt, text: () => false } }
  const { card } = await fusion(sellers, { champion })
  const known = split(trainingSet(sellers), options.seed).heldOut.filter(isLearnt).length
  expect(known).toBeGreaterThan(10)
  expect(card.measured).toMatchObject({ champion: { mayHaveLearnt: known } })
  expect(cardText(card)).toContain(`may have learnt from ${known} of them, which flatters it here.`)
})
