// One training from the store to the store: labels read, models made, kept with their cards; nothing is promoted.
import type { Decision } from '../../domain/decision.ts'
import { expectedText, type ActiveModel, type ModelCard, type ModelName } from '../../domain/model.ts'
import { placeOf } from '../../domain/place.ts'
import { holdsOf, policySchema, type Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import { decidedAt, labelsOf } from '../../learning/labels.ts'
import type {
  KeptModel,
  LabelledListing,
  LabelStore,
  ModelRecord,
  ModelStore,
  Spoken,
  Unloadable,
} from '../../learning/ports.ts'
import { patternOf } from '../../learning/training-set.ts'
import type { ReferenceStore } from '../../rights/ports.ts'
import type { Signal } from '../../signals/signal.ts'
import type { Draw } from '../audit.ts'
import { readFusion } from '../models.ts'
import { heardWith, textScores, type TextOf } from './text-scores.ts'
import { unusable } from './unusable.ts'
import { mayHaveLearnt, type Labels } from './unseen.ts'
import { train, type Champion, type Training, type Used } from './train.ts'

export interface LearningStores {
  readonly reference: Pick<ReferenceStore, 'load' | 'policies'>
  readonly labels: LabelStore
  /** What the gate draws its audit sample with. */
  readonly draw: () => Promise<Draw>
  readonly models: ModelStore
}

export interface Shipped {
  readonly signals: readonly Signal[]
  readonly scorecard: Scorecard
  readonly text: string | null
}

/** As a registry would name them. */
export const versionsOf = ({ scorecard, text }: Shipped): { fusion: string; text: string | null } => ({
  fusion: scorecard.version,
  text,
})

export interface TrainingReport extends Used {
  readonly seed: number
  readonly made: readonly (Omit<KeptModel, 'record'> & { readonly model: ModelRecord })[]
  readonly refused: Training['refused']
  /** Promoted versions that could not be read: what ships stood in their place, and made other bytes than they might have. */
  readonly unloadable: readonly Unloadable[]
}

export async function readLabels({
  reference,
  labels,
  draw,
}: Pick<LearningStores, 'reference' | 'labels' | 'draw'>): Promise<Labels> {
  const isDrawn = await draw()
  const policies = await reference.policies()
  const shares = new Map(
    policies.map(({ policy }) => [policy.version, policySchema.shape.audit.parse(policy.audit).share]),
  )
  const shareOf = (decision: Decision): number | undefined => {
    const share = shares.get(decision.policy.version) ?? 0
    // A person's decision copies the mark of the one that it is about; only that one's own id was drawn.
    return decision.stage !== 'review' && decision.audit && isDrawn(decision.decisionId, share) ? share : undefined
  }
  const found: LabelledListing[] = []
  const spoken: Spoken[] = []
  for await (const judged of labels.judged()) {
    found.push(...labelsOf(judged, shareOf))
    const at = decidedAt(judged)
    const { sellerId, marketplace } = judged
    if (at !== undefined) spoken.push({ sellerId, marketplace: placeOf(marketplace), at, pattern: patternOf(judged) })
  }
  return { labels: found, spoken }
}

interface Deciding extends Omit<Champion, 'mayHaveLearnt'> {
  readonly expects: string | null | undefined
  readonly thresholds: Policy['thresholds']
  /** Of all brands. */
  readonly holds: readonly number[]
  /** Undefined: what ships decides, which learnt from no verdict. */
  readonly cards: Readonly<Record<ModelName, ModelCard | undefined>>
  /** Promoted, and what ships is in their place. */
  readonly unloadable: readonly Unloadable[]
}

/**
 * What decides now: the promoted scorecard, else the one that ships, and how it hears the text model that it was fitted to.
 * One that cannot be read decides nowhere; `orShips`: then it is what ships, both of it, as in a process that starts now.
 */
export async function championOf(
  { reference, models }: Pick<LearningStores, 'reference' | 'models'>,
  shipped: Shipped,
  textOf: TextOf,
  { orShips = false } = {},
): Promise<Deciding> {
  const { policy, models: promoted } = await reference.load()
  if (policy === undefined)
    throw new TouchstoneError('not-ready', 'there is no active policy; `touchstone start` publishes the default one')
  const loadText = ({ version }: ActiveModel) => textOf(version)
  const problems = orShips
    ? await unusable(promoted, { models, signals: shipped.signals, loadText })
    : new Map<ModelName, string>()
  const active = problems.size > 0 ? [] : promoted
  const fusion = active.find((model) => model.name === 'fusion')
  const activeText = active.find((model) => model.name === 'text')
  const text = activeText?.version ?? shipped.text
  const expects = fusion === undefined ? shipped.text : expectedText(fusion.card)
  return {
    fusion:
      fusion === undefined
        ? shipped.scorecard
        : readFusion(fusion.card, await models.body('fusion', fusion.version), shipped.signals),
    expects,
    hears: (rows) => heardWith(textOf, expects, rows),
    text,
    scores: async (rows) => (text === null ? [] : textScores(await textOf(text), rows)),
    thresholds: policy.thresholds,
    holds: holdsOf(policy),
    cards: { fusion: fusion?.card, text: activeText?.card },
    unloadable:
      active === promoted
        ? []
        : promoted.map(({ name, version }) => ({ name, version, why: problems.get(name) ?? LEFT_OUT })),
  }
}

const LEFT_OUT = 'what ships is compared with as a pair'

/** @throws TouchstoneError `labels-missing` saying how many of which are missing. */
export async function runTraining(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  options: {
    readonly seed: number
    readonly models: readonly ModelName[]
    readonly by: string
  },
): Promise<TrainingReport> {
  const read = await readLabels(stores)
  const { thresholds, holds, cards, unloadable, ...champion } = await championOf(stores, shipped, textOf, {
    // Training anew is what mends a damaged version: it must not need it.
    orShips: true,
  })
  const mayHave = { fusion: mayHaveLearnt(read, cards.fusion), text: mayHaveLearnt(read, cards.text) }
  const { trained, refused, used } = await train(read.labels, {
    ...options,
    shipped: shipped.scorecard,
    champion: { ...champion, mayHaveLearnt: mayHave, unloadable },
    thresholds,
    holds,
  })
  const made: TrainingReport['made'][number][] = []
  // The text model first: killed in between, a training leaves no fusion whose text model is nowhere.
  for (const model of trained.toReversed()) {
    const { record, ...kept } = await stores.models.put({ ...model, by: options.by })
    // The figures are those of now: what decides may be another one than when the version was first made.
    made.unshift({ model: { ...record, card: model.card }, ...kept })
  }
  return { seed: options.seed, ...used, made, refused, unloadable }
}
