// What a text model is worth on each marketplace by itself: one where it takes the honest for fakes hides behind the others.
import { z } from 'zod'
import type { TrainingRow } from '../../learning/training-set.ts'
import { aucDifference, aucOf, type Auc } from './auc.ts'
import { LEAST_SELLERS } from './honest.ts'
import { grouped, nameOf } from './places.ts'
import type { MeasuredRow } from './weighted.ts'

/** Rows of one marketplace, null: of none, that a version scored; a type, as a card keeps it as JSON. */
export type TextPlace = {
  readonly marketplace: string | null
  readonly rows: number
  readonly confirmed: number
  /** Of the kind with fewer. */
  readonly fewestSellers: number
  readonly auc: Auc | null
  /** Less that of the version that decided, on the rows that both scored. */
  readonly aucDifference: Auc | null
}

export interface BothScores {
  readonly row: TrainingRow
  readonly candidate: MeasuredRow
  /** Undefined where the version that decided abstained. */
  readonly champion: MeasuredRow | undefined
}

/** Of the rows that the candidate scored. */
export function textByPlace(scored: readonly BothScores[]): TextPlace[] {
  return grouped(scored.map((one) => ({ ...one, marketplace: one.row.marketplace }))).map(([marketplace, own]) => {
    const mine = own.map(({ candidate }) => candidate)
    const both = own.flatMap(({ candidate, champion }) => (champion === undefined ? [] : [{ candidate, champion }]))
    const kinds = [mine.filter((row) => row.positive), mine.filter((row) => !row.positive)]
    return {
      marketplace,
      rows: own.length,
      confirmed: kinds[0]?.length ?? 0,
      fewestSellers: Math.min(...kinds.map((kind) => new Set(kind.map(({ sellerId }) => sellerId)).size)),
      auc: aucOf(mine) ?? null,
      aucDifference:
        aucDifference(
          both.map(({ candidate }) => candidate),
          both.map(({ champion }) => champion),
        ) ?? null,
    }
  })
}

type Judged = Pick<TextPlace, 'marketplace' | 'fewestSellers' | 'auc' | 'aucDifference'>

/** What one seller meets says nothing of the others. */
const isMeasured = ({ fewestSellers, auc }: Judged): boolean => auc !== null && fewestSellers >= LEAST_SELLERS

const isByChance = (place: Judged): boolean => isMeasured(place) && (place.auc?.value ?? 1) < 0.5

/** Beyond chance: over all of them it is worse however little. */
const isLower = (place: Judged): boolean => isMeasured(place) && (place.aucDifference?.high ?? 0) < 0

export const isWorse = (place: Judged): boolean => isByChance(place) || isLower(place)

/** Of marketplaces, '' for none, those of which too little was held out to say what it is worth there. */
export const unmeasuredAt = (marketplaces: readonly string[], places: readonly TextPlace[]): string[] =>
  marketplaces.filter((name) => !places.some((place) => (place.marketplace ?? '') === name && isMeasured(place)))

const auc = z.object({ value: z.number(), low: z.number(), high: z.number() })
const known = z.object({
  places: z.array(
    z.object({
      marketplace: z.string().nullable(),
      rows: z.number(),
      confirmed: z.number(),
      fewestSellers: z.number(),
      auc: auc.nullable(),
      aucDifference: auc.nullable(),
    }),
  ),
})

/** None on cards from before each was looked at, and of the only one, which is all of them. */
const placesOf = (measured: unknown): TextPlace[] => {
  const places = known.safeParse(measured).data?.places ?? []
  return places.length < 2 ? [] : places
}

/** As a card says it. */
export const textPlaceLines = (measured: unknown): string[] =>
  placesOf(measured).map(
    ({ marketplace, rows, confirmed, auc }) =>
      `Of ${nameOf(marketplace)} it scores ${rows} (${confirmed} confirmed): ROC AUC ${said(auc)}.`,
  )

/** What is said against it for the sake of one marketplace; `against` is the version that decided. */
export const placeLosses = (measured: unknown, against: string): string[] =>
  placesOf(measured).flatMap((place) => {
    const of = `of ${nameOf(place.marketplace)} it tells fakes from honest ones`
    const on = `on ${place.rows} that it had not seen (${place.confirmed} confirmed)`
    if (isByChance(place)) return [`${of} worse than chance: ROC AUC ${said(place.auc)} ${on}`]
    return isLower(place)
      ? [`${of} less well than ${against}: ROC AUC ${said(place.auc)} ${on}, changed by ${said(place.aucDifference)}`]
      : []
  })

const said = (area: Auc | null): string => (area === null ? '-' : `${area.value} [${area.low}, ${area.high}]`)
