// Asks the text model of the listing's own marketplace how much its words are like those that people confirmed as imitations.
import type { Listing } from '../../domain/listing.ts'
import { placeOf } from '../../domain/place.ts'
import { messageOf } from '../../errors.ts'
import { featuresOfReading, type TextFeatures } from '../../text/features.ts'
import type { Finding, Signal, SignalContext } from '../signal.ts'
import { examples } from './examples.ts'
import type { TextScore } from './ports.ts'

/** Below it the words are no more like imitations than not, four to one: nothing that a seller could act on. */
const WORTH_A_REASON = 0.8
/** N-grams that are shown, those that weigh most. */
const MOST_EVIDENCE = 8
/** In log-odds: what weighs less explains nothing. */
const WORTH_SHOWING = 0.05

async function evaluate(listing: Listing, { reading, textModel }: SignalContext): Promise<Finding> {
  if (textModel === undefined) return { state: 'abstained', evidence: { why: 'no-model' } }
  const { version, card } = textModel
  const { marketplaces, invented } = card.trained
  // Elsewhere it would know the source and not the fraud: how people write differs more between places than between goods.
  if (!marketplaces.includes(placeOf(listing.marketplace) ?? ''))
    return { state: 'abstained', evidence: { why: 'not-trained-here', model: version } }
  const features = featuresOfReading(reading)
  if (features.ids.length === 0) return { state: 'abstained', evidence: { why: 'no-text', model: version } }
  let said: TextScore
  try {
    said = await textModel.score(features)
  } catch (error) {
    return {
      state: 'failed',
      passing: true,
      evidence: { why: 'model-failed', model: version, message: messageOf(error) },
    }
  }
  const score = round(said.score, 6)
  return {
    state: 'scored',
    score,
    reasons:
      score >= WORTH_A_REASON
        ? [
            {
              code: 'text-like-confirmed',
              text: 'The text is much like that of listings that were found to offer imitations.',
            },
          ]
        : [],
    evidence: { model: version, invented, grams: heaviest(features, said.shares) },
  }
}

function heaviest(features: TextFeatures, shares: Float32Array) {
  return Array.from(shares, (share, i) => ({ i, logOdds: round(share, 3) }))
    .filter(({ logOdds }) => Math.abs(logOdds) >= WORTH_SHOWING)
    .toSorted((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds))
    .slice(0, MOST_EVIDENCE)
    .map(({ i, logOdds }) => {
      const { part, kind, text } = features.gram(i)
      return { part, kind, text: text.toWellFormed(), logOdds }
    })
}

const round = (n: number, digits: number): number => Number(n.toFixed(digits))

export const textModel: Signal = {
  name: 'text-model',
  version: '1',
  label: 'Text model',
  description:
    'Weighs letters and words of title and description by what people confirmed or rejected on the same marketplace (n-grams, logistic regression). Silent on every marketplace that it has not learnt from.',
  sources: [
    'Verdicts of this deployment, or for the version that ships the invented listings of fixtures/marketplace',
    'Stemmers of Porter for English and Russian (the package natural)',
  ],
  mode: 'enforce',
  examples,
  evaluate,
}
