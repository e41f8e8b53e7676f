// Verdicts -> text model: rows of marketplaces with enough of them, folds by seller, fit, calibration, an ONNX file and its card.
import { createHash } from 'node:crypto'
import type { ModelCard } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import { featuresOfListing, TEXT_FEATURES } from '../../text/features.ts'
import type { LabelledListing } from '../ports.ts'
import { calibrate, logistic, type Calibration, type Tested } from './calibrate.ts'
import { figuresOf } from './figures.ts'
import { foldsOf } from './folds.ts'
import { fitLogistic, margin, type Fit, type SparseRow } from './logistic-regression.ts'
import { writeOnnx } from './onnx-file.ts'

/** What training needs of a labelled listing: its words, what was said of it, and whose it is. */
export type TextRow = Pick<LabelledListing, 'listing' | 'label' | 'at' | 'sellerId' | 'marketplace' | 'weight'>

export interface TextTrainingOptions {
  /** Draws the folds; the same seed and rows give the same bytes. */
  readonly seed: number
  /** Default: the first 12 digits of the file's sha256. */
  readonly version?: string
  readonly description?: string
  /** The listings were invented. */
  readonly invented?: boolean
  /** Rows that are measured on and not learnt from, by the name under which the card tells. */
  readonly heldOut?: Readonly<Record<string, readonly TextRow[]>>
}

export interface TrainedText {
  readonly onnx: Uint8Array
  readonly card: ModelCard
  /** For each row given, its score by a model that did not learn from its seller; undefined for a row that was left out. */
  readonly outOfFold: readonly (number | undefined)[]
  /** The score of any listing, as the file gives it. */
  readonly score: (listing: TextRow['listing']) => number
}

/** Fewer of either verdict teach nothing of a marketplace: it is left out and the model abstains there. */
export const FEWEST_VERDICTS = 5

/** Of the sum over the texts. Cross-validated on the invented marketplace: the same from 0.01 to 0.1, worse from 0.3 on. */
const L2 = 0.1

/**
 * Trains on what people said. Pure: no clock, no chance but the seed's, no file. Several verdicts on one revision count as
 * one row, confirmed before rejected.
 *
 * @throws TouchstoneError `labels-missing` where no marketplace has enough verdicts of both kinds.
 */
export function trainText(rows: readonly TextRow[], options: TextTrainingOptions): TrainedText {
  const { used, marketplaces } = select(rows)
  if (used.length === 0) {
    throw new TouchstoneError(
      'labels-missing',
      `no marketplace has ${FEWEST_VERDICTS} confirmed and ${FEWEST_VERDICTS} rejected listings for the text model`,
    )
  }
  const texts = balanced(used).map(textOf)
  const folds = foldsOf(texts, options.seed)
  const tested = outOfFold(texts, folds)
  const line = calibrate(tested.filter((t) => t !== undefined))
  const model = fold(fit(texts, folds.by), line)
  const probability = (m: number) => logistic(line.slope * m + line.offset)
  const scoreOf = (listing: TextRow['listing']) => logistic(margin(model, featuresOfListing(listing)))

  const onnx = writeOnnx({
    weights: Float32Array.from(model.weights),
    bias: model.bias,
    features: TEXT_FEATURES.version,
  })
  const sha256 = createHash('sha256').update(onnx).digest('hex')
  const place = new Map(used.map((row, i) => [row, tested[i]]))
  const confirmed = texts.filter((t) => t.positive).length
  return {
    onnx,
    card: {
      name: 'text',
      version: options.version ?? sha256.slice(0, 12),
      description:
        options.description ??
        `N-grams of title and description, weighed by logistic regression on ${texts.length} verdicts; it abstains elsewhere.`,
      sha256,
      features: { ...TEXT_FEATURES },
      trained: {
        seed: options.seed,
        marketplaces,
        rows: texts.length,
        confirmed,
        until: used.reduce<string | null>((last, { at }) => (last === null || at > last ? at : last), null),
        invented: options.invented ?? false,
      },
      measured: {
        crossValidated: { by: folds.by, folds: folds.count, ...json(figuresOf(defined(tested), probability)) },
        ...Object.fromEntries(
          Object.entries(options.heldOut ?? {}).map(([name, held]) => [
            name,
            json(
              figuresOf(
                held.map(textOf).map((t) => ({ ...t, margin: margin(model, t) })),
                logistic,
              ),
            ),
          ]),
        ),
      },
    },
    outOfFold: rows.map((row) => {
      const m = place.get(row)?.margin
      return m === undefined ? undefined : probability(m)
    }),
    score: scoreOf,
  }
}

type Text = SparseRow & { readonly listingId: string; readonly sellerId: string }

const textOf = (row: TextRow): Text => {
  const { ids, values } = featuresOfListing(row.listing)
  const { listing, sellerId, weight } = row
  return { ids, values, positive: row.label === 'confirmed', weight, listingId: listing.listingId, sellerId }
}

const defined = <T>(some: readonly (T | undefined)[]): T[] => some.filter((t) => t !== undefined)

/** Figures as a card keeps them. */
const json = (figures: ReturnType<typeof figuresOf>) => ({ ...figures, at: figures.at.map((p) => ({ ...p })) })

function select(rows: readonly TextRow[]): { used: TextRow[]; marketplaces: string[] } {
  const once = new Map<string, TextRow>()
  for (const row of rows) {
    const key = JSON.stringify([row.listing.listingId, row.listing.revision])
    if (once.get(key)?.label !== 'confirmed') once.set(key, row)
  }
  const counts = new Map<string, { confirmed: number; rejected: number }>()
  for (const { marketplace, label } of once.values()) {
    const count = counts.get(marketplace ?? '') ?? { confirmed: 0, rejected: 0 }
    count[label] += 1
    counts.set(marketplace ?? '', count)
  }
  const marketplaces = [...counts]
    .filter(([, { confirmed, rejected }]) => Math.min(confirmed, rejected) >= FEWEST_VERDICTS)
    .map(([marketplace]) => marketplace)
    .toSorted()
  // In an order of their own: how the store gave them must not show in the last bit of a sum.
  const used = [...once]
    .filter(([, row]) => marketplaces.includes(row.marketplace ?? ''))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row)
  return { used, marketplaces }
}

/**
 * Confirmed and rejected weigh the same on each marketplace: where nearly all was confirmed on one and rejected on the
 * other, their languages and habits would be learnt in the place of the fraud, and figures of both together would praise it.
 */
function balanced(rows: readonly TextRow[]): TextRow[] {
  const places = new Map<string, { confirmed: number; rejected: number }>()
  for (const { marketplace, label, weight } of rows) {
    const place = places.get(marketplace ?? '') ?? { confirmed: 0, rejected: 0 }
    place[label] += weight
    places.set(marketplace ?? '', place)
  }
  // The fit balances the classes as a whole: of one marketplace there is nothing left to do.
  if (places.size < 2) return [...rows]
  return rows.map((row) => {
    const { confirmed, rejected } = places.get(row.marketplace ?? '') ?? { confirmed: 1, rejected: 1 }
    const own = row.label === 'confirmed' ? confirmed : rejected
    return { ...row, weight: (row.weight * (confirmed + rejected)) / (2 * own) }
  })
}

/** Each text's margin by a model of the other folds; undefined where those lack a class. */
function outOfFold(texts: readonly Text[], folds: ReturnType<typeof foldsOf>): (Tested | undefined)[] {
  const tested = new Array<Tested | undefined>(texts.length).fill(undefined)
  for (let f = 0; f < folds.count; f++) {
    const others = texts.filter((_, i) => folds.of[i] !== f)
    if (!others.some((t) => t.positive) || others.every((t) => t.positive)) continue
    const fitted = fit(others, folds.by)
    texts.forEach((t, i) => {
      if (folds.of[i] === f) tested[i] = { margin: margin(fitted, t), positive: t.positive, weight: t.weight }
    })
  }
  return tested
}

/** An n-gram that only one seller (or listing) uses says who it is, not what is sold. */
function fit(texts: readonly Text[], by: 'seller' | 'listing'): Fit {
  const first = new Map<number, string>()
  const shared = new Set<number>()
  for (const text of texts) {
    const who = by === 'seller' ? text.sellerId : text.listingId
    for (const id of text.ids) {
      const known = first.get(id)
      if (known === undefined) first.set(id, who)
      else if (known !== who) shared.add(id)
    }
  }
  return fitLogistic(texts, { table: TEXT_FEATURES.table, l2: L2, usable: (id) => shared.has(id) })
}

/** Calibration goes into the weights, which are rounded as the file rounds them: what is measured is what is asked. */
function fold(fitted: Fit, { slope, offset }: Calibration): Fit {
  return {
    weights: fitted.weights.map((w) => Math.fround(slope * w)),
    bias: Math.fround(slope * fitted.bias + offset),
  }
}
