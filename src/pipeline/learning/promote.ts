// Versions of the models on their way to decide, or back: they must exist, fit this gate and each other, and not do worse, unless somebody insists.
import type { ModelCard, ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Activation, AskedVersions, BothActivations } from '../../learning/ports.ts'
import { apartOf, leaving, nextFusion, weigh, type Objection, type PromotionParts } from './against.ts'
import { nameOf } from './places.ts'
import { oneSided } from './said-by.ts'
import { changedElsewhere, scopeLine } from './scope-said.ts'

export interface Promotion extends Activation {
  /** Of a fusion: the text model that changed with it. */
  readonly text?: Activation
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
 * Both at once are one change: no listing meets one of them without the other.
 * @throws TouchstoneError `not-found`, `model-invalid` where one does not fit, `model-loses` where a card speaks against it,
 * or that of the fusion for which a text model was made, or a marketplace would be held whatever is listed,
 * `model-unmeasured` where a card says too little of a marketplace, and `model-mismatch` where the other model speaks
 * against it, unless `force` is given; `model-conflict`, whatever is given, where a policy or a model changed meanwhile: what
 * was looked at, or overruled, stands no more. Then nothing changes.
 */
export async function promoteModels(
  parts: PromotionParts,
  asked: AskedVersions,
  { by, force }: Who,
): Promise<Promotion> {
  const { store } = parts
  // Before all else: whatever changes from here on is a conflict.
  const { policy, kinds } = await parts.reference.load()
  const { against, told, records } = await weigh(parts, policy, asked)
  if (records.text !== undefined) {
    const { card, version } = records.text
    const body = await store.body('text', version)
    await parts.text?.load({ card, body })
  }
  const warnings = [...told]
  for (const { card } of Object.values(records))
    warnings.push(...oneSided(card), ...(await besideWhatDecides(parts, card)))
  assertMay(against, force)
  // What ships decides where nothing does.
  const to = (name: ModelName) => records[name]?.version ?? null
  const step =
    asked.fusion !== undefined && asked.text !== undefined
      ? asOne(await store.promoteBoth({ fusion: to('fusion'), text: to('text') }, by, kinds))
      : asked.fusion === undefined
        ? await store.promote('text', to('text'), by, kinds)
        : await store.promote('fusion', to('fusion'), by, kinds)
  const done = await ended(parts, step, against)
  const scope = records.fusion === undefined ? undefined : scopeLine(records.fusion.card)
  return { ...done, warnings: [...warnings, ...done.warnings], scope }
}

const asOne = ({ fusion, text }: BothActivations): Activation & { readonly text: Activation } => ({ ...fusion, text })

/** What promoting these would be refused for; empty: it would be taken. */
export async function wouldRefuse(parts: PromotionParts, asked: AskedVersions): Promise<string[]> {
  const { policy } = await parts.reference.load()
  return (await weigh(parts, policy, asked)).against.map(({ why }) => why)
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
 * Lets the version decide that decided before; `all`: each model the one before its own, as one change.
 * @throws TouchstoneError `nothing-to-roll-back`, and `model-mismatch` where the fusion that decides, or would, were left with
 * another text model than it was fitted to, unless `force` is given. Then nothing changes.
 */
export async function rollbackModels(
  parts: PromotionParts,
  name: ModelName | 'all',
  { by, force }: Who,
): Promise<Promotion> {
  const { store, shipped } = parts
  let against: readonly Objection[] = []
  const step =
    name === 'all'
      ? asOne(
          await store.rollbackBoth(by, (then, now) => {
            against = leftApart(shipped, then, now)
            assertMay(against, force)
          }),
        )
      : await store.rollback(name, by, (version, active) => {
          against = name === 'text' ? leaving(shipped, active, version) : []
          assertMay(against, force)
        })
  return ended(parts, step, against)
}

/** A pair that is apart already may stay so. */
function leftApart(shipped: PromotionParts['shipped'], ...[then, now]: Parameters<Check>): Objection[] {
  const apart = apartOf(shipped, then)
  if (apart === undefined || apartOf(shipped, now) !== undefined) return []
  const { fusion, expects, text } = apart
  const why = `fusion ${fusion}, which would decide, was fitted to the text model ${expects}, and ${text} would be active: the two were not promoted at once, roll them back one by one`
  return [{ code: 'model-mismatch', why }]
}

type Check = NonNullable<Parameters<PromotionParts['store']['rollbackBoth']>[1]>

/** What was overruled has been said; else whoever leaves two models together that were not fitted to each other is told. */
async function ended(
  parts: PromotionParts,
  step: Activation & { readonly text?: Activation },
  overruled: readonly Objection[],
): Promise<Promotion> {
  return {
    ...step,
    overruled: overruled.map(({ why }) => why),
    warnings: overruled.length > 0 ? [] : await apart(parts),
  }
}

/** Where a text model is promoted before its fusion the two are apart: nobody should stop there without knowing what it means. */
async function apart(parts: PromotionParts): Promise<string[]> {
  const { store, shipped } = parts
  const active = await store.active()
  const found = apartOf(shipped, active)
  if (found === undefined) return []
  const { fusion, expects, text } = found
  const isBack = active.every(({ name }) => name !== 'fusion') && text !== shipped.text
  const { policy } = await parts.reference.load()
  const { next, refused } = await nextFusion(parts, policy, text)
  const back = text === shipped.text ? '' : ', or roll back text'
  const step =
    next !== undefined
      ? `promote fusion@${next}${isBack ? back : ''}`
      : refused.length > 0
        ? `train once more (fusion@${refused[0]?.version}, which was fitted to it, is refused)${back}`
        : `train a fusion and promote it${isBack ? back : ''}`
  return [
    `the fusion ${fusion} that decides was fitted to the text model ${expects}: it weighs what the text model ${text} says as if ${expects} had said it, so risks may be too high or too low, and listings be held or let through wrongly, until a fusion that was fitted to ${text} decides. Next: ${step}`,
  ]
}

/** The other model alone in its way, or that nothing is known of a marketplace, has a name of its own. */
function assertMay(against: readonly Objection[], force: boolean): void {
  const [first] = against
  if (first === undefined || force) return
  const code = against.every((one) => one.code === first.code) ? first.code : 'model-loses'
  throw new TouchstoneError(code, against.map(({ why }) => why).join('; '))
}
