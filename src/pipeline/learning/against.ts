// What speaks against letting versions decide: their cards, base rates that hold whatever is listed, and each other.
import { expectedText, type ActiveModel, type ModelName } from '../../domain/model.ts'
import { holdsOf, type Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { messageOf, TouchstoneError } from '../../errors.ts'
import type { AskedVersions, ModelRecord, ModelStore } from '../../learning/ports.ts'
import type { ReferenceStore } from '../../rights/ports.ts'
import type { Signal } from '../../signals/signal.ts'
import { readFusion, type TextModels } from '../models.ts'
import { misfit } from './card.ts'
import { losses } from './objections.ts'
import { nameOf, unmeasuredOf } from './places.ts'

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

export interface Objection {
  readonly code: 'model-loses' | 'model-mismatch' | 'model-unmeasured'
  readonly why: string
}

export interface Weighed {
  readonly against: readonly Objection[]
  /** Base rates that it brings: nothing against it, and worth knowing. */
  readonly told: readonly string[]
  /** Of the versions of the registry; what ships is promoted by its absence. */
  readonly records: Partial<Readonly<Record<ModelName, ModelRecord>>>
}

/** @throws TouchstoneError `not-found`, and `model-invalid` where one does not fit this gate. */
export async function weigh(parts: PromotionParts, policy: Policy | undefined, asked: AskedVersions): Promise<Weighed> {
  const { store, shipped } = parts
  const deciding = await store.active()
  const [text, fusion] = [await known(parts, 'text', asked.text), await known(parts, 'fusion', asked.fusion)]
  const then = asked.text ?? activeText(shipped, deciding)
  const own = fusion === undefined ? NOTHING : await ofFusion(parts, policy, fusion)
  const against = [...ofText(text), ...own.against]
  if (asked.fusion !== undefined) {
    const why = fusion === undefined ? shippedMisfit(parts, asked) : misfit(fusion.card, then ?? undefined)
    const instead = why === undefined || asked.text !== undefined ? '' : await asPair(parts, policy, fusion)
    if (why !== undefined) against.push({ code: 'model-mismatch', why: `fusion ${asked.fusion}: ${why}${instead}` })
  } else if (asked.text !== undefined) {
    against.push(
      ...(text === undefined
        ? leaving(shipped, deciding, null)
        : await ofItsFusion(parts, policy, deciding, text.version)),
    )
  }
  return {
    against,
    told: own.told,
    records: { ...(text === undefined ? {} : { text }), ...(fusion === undefined ? {} : { fusion }) },
  }
}

async function known(
  { store, shipped }: PromotionParts,
  name: ModelName,
  version: string | undefined,
): Promise<ModelRecord | undefined> {
  if (version === undefined) return undefined
  const record = await store.find(name, version)
  if (record === undefined && version !== shipped[name])
    throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
  return record
}

function ofCard({ name, version, card }: ModelRecord): Objection[] {
  const said = (code: Objection['code']) => (why: string) => ({ code, why: `${name} ${version}: ${why}` })
  return [...losses(card).map(said('model-loses')), ...unmeasuredOf(card).map(said('model-unmeasured'))]
}

const ofText = (text: ModelRecord | undefined): Objection[] => (text === undefined ? [] : ofCard(text))

const NOTHING: Pick<Weighed, 'against' | 'told'> = { against: [], told: [] }

/** By itself, whatever text model is beside it. */
async function ofFusion(
  { store, signals }: PromotionParts,
  policy: Policy | undefined,
  record: ModelRecord,
): Promise<Pick<Weighed, 'against' | 'told'>> {
  const { name, version, card } = record
  const bases = basesOf(policy, readFusion(card, await store.body(name, version), signals))
  const against = bases.against.map((why): Objection => ({ code: 'model-loses', why: `${name} ${version}: ${why}` }))
  return { against: [...against, ...ofCard(record)], told: bases.told }
}

/** Said only where it would be taken. */
async function asPair(
  parts: PromotionParts,
  policy: Policy | undefined,
  fusion: ModelRecord | undefined,
): Promise<string> {
  const text = fusion === undefined ? undefined : expectedText(fusion.card)
  if (fusion === undefined || text === undefined || (await parts.store.find('text', text)) === undefined) return ''
  const { against } = await weigh(parts, policy, { text, fusion: fusion.version })
  return against.length > 0 ? '' : `: promote both at once, as text@${text} fusion@${fusion.version}`
}

/** What ships was fitted to each other. */
const shippedMisfit = ({ shipped }: PromotionParts, { text }: AskedVersions): string | undefined =>
  text === undefined || text === shipped.text
    ? undefined
    : `it was fitted to the text model ${shipped.text ?? 'none'}, and ${text} would be active`

/**
 * A text model is let decide for the sake of a fusion that was fitted to it. Where all of those are refused, the gate would
 * be left with a pair that nobody measured, or by force with one that loses.
 */
async function ofItsFusion(
  parts: PromotionParts,
  policy: Policy | undefined,
  deciding: readonly ActiveModel[],
  text: string,
): Promise<Objection[]> {
  const now = deciding.find((model) => model.name === 'fusion')
  if (now !== undefined && expectedText(now.card) === text) return []
  const { next, refused } = await nextFusion(parts, policy, text)
  const [newest] = refused
  if (next !== undefined || newest === undefined) return []
  const { version, against } = newest
  return against.map(({ code, why }) => ({
    code,
    why: `text ${text}: fusion ${version}, which was fitted to it, would be refused beside it: ${why}`,
  }))
}

interface Fitted {
  /** The newest that could be promoted beside that text model without force. */
  readonly next: string | undefined
  /** Newer ones that could not; newest first. */
  readonly refused: readonly { readonly version: string; readonly against: readonly Objection[] }[]
}

export async function nextFusion(parts: PromotionParts, policy: Policy | undefined, text: string): Promise<Fitted> {
  const refused: Fitted['refused'][number][] = []
  for (const record of await fusionsFittedTo(parts.store, text)) {
    const against = await ofFusion(parts, policy, record).then(
      (found) => found.against,
      (error: unknown): Objection[] => {
        // A store that does not answer says nothing about the model.
        if (!(error instanceof TouchstoneError)) throw error
        return [{ code: 'model-loses', why: messageOf(error) }]
      },
    )
    if (against.length === 0) return { next: record.version, refused }
    refused.push({ version: record.version, against })
  }
  return { next: undefined, refused }
}

/** Of the registry, newest first. */
export const fusionsFittedTo = async (store: Pick<ModelStore, 'list'>, text: string): Promise<ModelRecord[]> =>
  (await store.list('fusion')).filter(({ card }) => expectedText(card) === text)

/** What the fusion that decides says against the text model's going back to a version; a pair that is apart already may. */
export function leaving(
  shipped: PromotionParts['shipped'],
  active: readonly ActiveModel[],
  version: string | null,
): Objection[] {
  const fusion = active.find((model) => model.name === 'fusion')
  const expects = fusion === undefined ? undefined : expectedText(fusion.card)
  const then = version ?? shipped.text
  if (fusion === undefined || expects === undefined || expects !== activeText(shipped, active) || then === expects)
    return []
  return [
    {
      code: 'model-mismatch',
      why: `fusion ${fusion.version}, which decides, was fitted to the text model ${expects}, and ${then ?? 'none'} would be active: roll back fusion first, or both at once`,
    },
  ]
}

/** Undefined where the fusion that decides was fitted to the text model that does, or to none. */
export function apartOf(
  shipped: PromotionParts['shipped'],
  active: readonly ActiveModel[],
): { readonly fusion: string; readonly expects: string; readonly text: string } | undefined {
  const fusion = active.find((model) => model.name === 'fusion')
  const text = activeText(shipped, active)
  const expects = fusion === undefined ? shipped.text : expectedText(fusion.card)
  // A fusion that was fitted without a text model says itself what one would weigh.
  if (expects === undefined || expects === null || text === null || expects === text) return undefined
  return { fusion: fusion?.version ?? shipped.fusion, expects, text }
}

const activeText = (shipped: PromotionParts['shipped'], active: readonly ActiveModel[]): string | null =>
  active.find((model) => model.name === 'text')?.version ?? shipped.text

/** From here on a base of its own is told: it moves every listing of its marketplace. In odds. */
const TOLD_FROM = 2

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
