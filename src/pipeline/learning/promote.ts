// A version of a model on its way to decide, or back: it must exist, fit this gate and the other model, and not do worse, unless somebody insists.
import { expectedText, type ActiveModel, type ModelCard, type ModelName } from '../../domain/model.ts'
import { holdsOf, type Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Activation, ModelRecord, ModelStore } from '../../learning/ports.ts'
import type { ReferenceStore } from '../../rights/ports.ts'
import type { Signal } from '../../signals/signal.ts'
import { readFusion, type TextModels } from '../models.ts'
import { misfit } from './card.ts'
import { objections } from './objections.ts'
import { nameOf, unmeasuredOf } from './places.ts'
import { oneSided } from './said-by.ts'
import { changedElsewhere, scopeLine } from './scope-said.ts'

export interface PromotionParts {
  readonly store: ModelStore
  /** The policy that is active, what it holds from, and when policy and models changed. */
  readonly reference: Pick<ReferenceStore, 'load'>
  readonly signals: readonly Signal[]
  /** Tries a text model; without it only its bytes are checked. */
  readonly text?: TextModels | undefined
  /** What decides where nothing is promoted. */
  readonly shipped: { readonly fusion: string; readonly text: string | null }
}

export interface Promotion extends Activation {
  /** What spoke against it and was overruled. */
  readonly overruled: readonly string[]
  /** Base rates that it brings, and what it means for the other model and what to do next where the two were not fitted to each other. */
  readonly warnings: readonly string[]
  /** Of a fusion that learnt: on which marketplaces it decides, and what goes on elsewhere. */
  readonly scope?: string | undefined
}

interface Who {
  readonly by: string
  readonly force: boolean
}

/**
 * Makes a version decide in every running worker, within two seconds; the one that ships by taking back what was promoted.
 * @throws TouchstoneError `not-found`, `model-invalid` where it does not fit, `model-loses` where its card speaks against it
 * or a marketplace would be held whatever is listed, `model-unmeasured` where the card says too little of a marketplace, and
 * `model-mismatch` where the other model speaks against it, unless `force` is given; `model-conflict`, whatever is given, where
 * a policy or a model changed meanwhile: what was looked at, or overruled, stands no more. Then nothing changes.
 */
export async function promoteModel(
  parts: PromotionParts,
  name: ModelName,
  version: string,
  { by, force }: Who,
): Promise<Promotion> {
  const { store, signals, text } = parts
  // Before all else: whatever changes from here on is a conflict.
  const { policy, kinds } = await parts.reference.load()
  const record = await store.find(name, version)
  if (record === undefined && version === parts.shipped[name]) {
    const against = leaving(parts, await store.active(), name, null)
    assertMay('model-mismatch', against, force)
    return ended(parts, await store.promote(name, null, by, kinds), against)
  }
  const body = await store.body(name, version)
  if (record === undefined)
    throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
  const bases = name === 'fusion' ? basesOf(policy, readFusion(record.card, body, signals)) : NO_BASES
  if (name === 'text') await text?.load({ card: record.card, body })
  const active = activeText(parts, await store.active()) ?? undefined
  const told = [...bases.told, ...oneSided(record.card), ...(await besideWhatDecides(parts, record.card))]
  const against = [...bases.against, ...objections(record.card, { text: active })]
  const named = against.map((why) => `${name} ${version}: ${why}`)
  assertMay(codeOf(against.length, record.card, active), named, force)
  const done = await ended(parts, await store.promote(name, version, by, kinds), against)
  return { ...done, warnings: [...told, ...done.warnings], scope: scopeLine(record.card) }
}

/** Only the other model stands in its way: that one can be promoted first; or only that nothing is known of a marketplace. */
function codeOf(against: number, card: ModelCard, text: string | undefined): Refused {
  if (against === 1 && misfit(card, text) !== undefined) return 'model-mismatch'
  return against === unmeasuredOf(card).length ? 'model-unmeasured' : 'model-loses'
}

/** From here on a base of its own is told: it moves every listing of its marketplace. In odds. */
const TOLD_FROM = 2
const NO_BASES = { against: [], told: [] }

/**
 * Bases by which a marketplace is held whatever is listed there, and those that only move it. A policy that holds at what is
 * assumed everywhere holds what it likes: that is not the version's doing.
 */
function basesOf(policy: Policy | undefined, { prior, scope }: Scorecard): { against: string[]; told: string[] } {
  const holds = policy === undefined ? [] : holdsOf(policy).filter((hold) => hold > prior.probability)
  const odds = (p: number) => p / (1 - p)
  // A base of a place where it has not learnt decides there already, by the version before.
  const own = (prior.marketplaces ?? []).filter((one) => scope?.marketplaces.includes(one.marketplace) ?? true)
  const found = own.map(({ marketplace, probability, source }) => {
    const from = holds.filter((hold) => probability >= hold).toSorted((a, b) => a - b)[0]
    const held = from === undefined ? '' : `, and are held from ${from} on without any`
    const line = `${nameOf(marketplace)} begin at a risk of ${probability} before any evidence (elsewhere ${prior.probability})${held}. Learnt from: ${source}`
    const far = Math.abs(Math.log(odds(probability) / odds(prior.probability))) >= Math.log(TOLD_FROM)
    return { line, held: from !== undefined, far }
  })
  return {
    against: found.filter(({ held }) => held).map(({ line }) => line),
    told: found.filter(({ held, far }) => far && !held).map(({ line }) => line),
  }
}

/** What the card of a version does not say, because another one decides by now or speaks where this one is silent. */
async function besideWhatDecides({ store, shipped }: PromotionParts, card: ModelCard): Promise<string[]> {
  const { name, version, trained } = card
  const deciding = (await store.active()).find((model) => model.name === name)
  const now = deciding?.version ?? shipped[name]
  const before = (card.measured as { champion?: { version?: unknown } }).champion?.version
  const stale =
    typeof before !== 'string' || before === now || version === now
      ? []
      : [
          `its card compares ${name} ${version} with version ${before}, and ${now ?? 'none'} decides now: \`touchstone evaluate --model ${name}@${version}\` compares them anew`,
        ]
  if (name === 'fusion') return [...stale, ...changedElsewhere(card, deciding?.card, shipped.fusion)]
  const heard = deciding?.card.trained.marketplaces ?? []
  const lost = heard.filter((marketplace) => !trained.marketplaces.includes(marketplace))
  if (lost.length === 0) return stale
  return [
    ...stale,
    `text ${version} says nothing of ${lost.map(nameOf).join(', ')}, which ${now} did: too few of their verdicts were learnt from`,
  ]
}

/**
 * Lets the version decide that decided before.
 * @throws TouchstoneError `nothing-to-roll-back`, and `model-mismatch` where the fusion that decides would lose the text model
 * that it was fitted to, unless `force` is given. Then nothing changes.
 */
export async function rollbackModel(
  parts: Pick<PromotionParts, 'store' | 'shipped'>,
  name: ModelName,
  { by, force }: Who,
): Promise<Promotion> {
  let overruled: readonly string[] = []
  const step = await parts.store.rollback(name, by, (version, active) => {
    overruled = leaving(parts, active, name, version)
    assertMay('model-mismatch', overruled, force)
  })
  return ended(parts, step, overruled)
}

/** What was overruled has been said; else whoever leaves two models together that were not fitted to each other is told. */
async function ended(
  parts: Pick<PromotionParts, 'store' | 'shipped'>,
  step: Activation,
  overruled: readonly string[],
): Promise<Promotion> {
  return { ...step, overruled, warnings: overruled.length > 0 ? [] : await apart(parts) }
}

/**
 * Between the promotion of a text model and that of its fusion the two are apart by design: nothing is refused, but nobody
 * should stop there without knowing what it means.
 */
async function apart({ store, shipped }: Pick<PromotionParts, 'store' | 'shipped'>): Promise<string[]> {
  const active = await store.active()
  const fusion = active.find((model) => model.name === 'fusion')
  const text = active.find((model) => model.name === 'text')?.version ?? shipped.text
  const expects = fusion === undefined ? shipped.text : expectedText(fusion.card)
  // A fusion that was fitted without a text model says itself what one would weigh.
  if (expects === undefined || expects === null || text === null || expects === text) return []
  const fitting = await fusionFittedTo(store, text)
  const before = fusion === undefined && text !== shipped.text ? ', or roll back text' : ''
  const next = fitting === undefined ? 'train a fusion and promote it' : `promote fusion@${fitting.version}`
  return [
    `the fusion ${fusion?.version ?? shipped.fusion} that decides was fitted to the text model ${expects}: it weighs what the text model ${text} says as if ${expects} had said it, so risks may be too high or too low, and listings be held or let through wrongly, until a fusion that was fitted to ${text} decides. Next: ${next}${before}`,
  ]
}

/** A fusion of the registry that goes with this version of the text model. */
export const fusionFittedTo = async (store: ModelStore, text: string): Promise<ModelRecord | undefined> =>
  (await store.list('fusion')).find(({ card }) => expectedText(card) === text)

/** What the fusion that decides says against the text model's going back to a version; a pair that is apart already may. */
function leaving(
  { shipped }: Pick<PromotionParts, 'shipped'>,
  active: readonly ActiveModel[],
  name: ModelName,
  version: string | null,
): string[] {
  const fusion = active.find((model) => model.name === 'fusion')
  const expects = name === 'text' && fusion !== undefined ? expectedText(fusion.card) : undefined
  const then = version ?? shipped.text
  if (fusion === undefined || expects === undefined || expects !== activeText({ shipped }, active) || then === expects)
    return []
  return [
    `fusion ${fusion.version}, which decides, was fitted to the text model ${expects}, and ${then ?? 'none'} would be active: roll back fusion first`,
  ]
}

const activeText = ({ shipped }: Pick<PromotionParts, 'shipped'>, active: readonly ActiveModel[]): string | null =>
  active.find((model) => model.name === 'text')?.version ?? shipped.text

type Refused = 'model-loses' | 'model-mismatch' | 'model-unmeasured'

function assertMay(code: Refused, against: readonly string[], force: boolean): void {
  if (against.length > 0 && !force) throw new TouchstoneError(code, against.join('; '))
}
