// What a version does on each marketplace by itself: over all of them together the largest speaks for the others.
import { z } from 'zod'
import type { ModelCard } from '../../domain/model.ts'
import type { Policy } from '../../domain/policy.ts'
import { LEAST } from '../../learning/split.ts'
import type { TrainingRow } from '../../learning/training-set.ts'
import { LEAST_SELLERS, stoppedHonest, type Stopped } from './honest.ts'
import type { MeasuredRow } from './weighted.ts'

type Placed = Pick<TrainingRow, 'marketplace' | 'label' | 'sellerId'>

// Types, not interfaces: a card keeps them as JSON.

/** Rows of one marketplace, null: of none. */
export type Side = {
  readonly marketplace: string | null
  readonly rows: number
  readonly confirmed: number
  /** Of the rejected ones. */
  readonly honestSellers: number
}

export type PlaceFigures = Side & { readonly honest: { readonly hold: Stopped; readonly block: Stopped } }

/** In one order, whatever the rows came in. */
export function grouped<R extends Pick<Placed, 'marketplace'>>(rows: readonly R[]): [string | null, R[]][] {
  const nameOf = (marketplace: string | null) => JSON.stringify(marketplace)
  return [...Map.groupBy(rows, (row) => row.marketplace)].toSorted(([a], [b]) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

const sideOf = (marketplace: string | null, rows: readonly Placed[]): Side => {
  const rejected = rows.filter((row) => row.label === 'rejected')
  return {
    marketplace,
    rows: rows.length,
    confirmed: rows.length - rejected.length,
    honestSellers: new Set(rejected.map((row) => row.sellerId)).size,
  }
}

export const sidesOf = (rows: readonly Placed[]): Side[] => grouped(rows).map(([place, own]) => sideOf(place, own))

/** The same rows by two models in the same order as `rows`, each marketplace by itself. */
export function byPlace(
  rows: readonly Placed[],
  { candidate, champion }: Record<'candidate' | 'champion', readonly MeasuredRow[]>,
  thresholds: Policy['thresholds'],
): PlaceFigures[] {
  return grouped(rows.map((row, n) => ({ ...row, n }))).map(([place, own]) => {
    const of = (measured: readonly MeasuredRow[]) => own.flatMap(({ n }) => measured[n] ?? [])
    const at = (threshold: number) => stoppedHonest(of(candidate), of(champion), threshold)
    return { ...sideOf(place, own), honest: { hold: at(thresholds.hold), block: at(thresholds.block) } }
  })
}

export const nameOf = (marketplace: string | null): string =>
  marketplace === null || marketplace === '' ? 'listings of no marketplace' : `listings of ${marketplace}`

const side = z.object({
  marketplace: z.string().nullable(),
  rows: z.number(),
  confirmed: z.number(),
  honestSellers: z.number().optional(),
  /** As older cards call them. */
  sellers: z.number().optional(),
})
const ofFusion = z.object({
  learntFrom: z.object({ places: z.array(side) }),
  comparison: z.object({ places: z.array(side) }),
})
const ofText = z.object({ unmeasured: z.array(z.string()) })
const ofOne = z.object({ comparison: z.object({ standing: z.string() }) })

/**
 * Marketplaces from which a version learnt as much as a training needs (`LEAST`), and of whose honest sellers too few were
 * held out to show what it does to them; one from which it learnt less moves nothing there that it does not move anywhere.
 */
export function unmeasuredOf({ name, version, measured, trained }: Partial<ModelCard>): string[] {
  if (name === 'text') {
    const places = ofText.safeParse(measured).data?.unmeasured ?? []
    if (places.length === 0) return []
    return [
      `text ${version} speaks on ${places.map(nameOf).join(', ')}, where it was not measured: confirmed and rejected listings there, of ${LEAST_SELLERS} sellers each, were not held out`,
    ]
  }
  const known = ofFusion.safeParse(measured)
  if (!known.success) {
    const earlier = ofOne.safeParse(measured).success && (trained?.marketplaces.length ?? 0) > 1
    return earlier
      ? [
          `its card was made before each marketplace was measured by itself (${trained?.marketplaces.join(', ')}): train once more`,
        ]
      : []
  }
  const { learntFrom, comparison } = known.data
  return learntFrom.places
    .filter(({ rows }) => rows >= LEAST.learn)
    .flatMap(({ marketplace, rows }) => {
      const held = comparison.places.find((one) => one.marketplace === marketplace)
      const honest = held === undefined ? 0 : held.rows - held.confirmed
      const sellers = held?.honestSellers ?? held?.sellers ?? 0
      if (honest >= LEAST.heldOut && sellers >= LEAST_SELLERS) return []
      return [
        `it learnt from ${rows} ${nameOf(marketplace)}, and what was held out says too little of the honest ones there: ${honest} of ${sellers} sellers, and ${LEAST.heldOut} of ${LEAST_SELLERS} are the least`,
      ]
    })
}
