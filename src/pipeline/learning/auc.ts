// How well a version tells confirmed rows from rejected ones, with what chance may have done to that: the area under its ROC curve.
import { Z } from '../wilson.ts'
import { round, sellersWorth, weightOf, type MeasuredRow } from './weighted.ts'

/** Weighted; a type, as a card keeps it as JSON. */
export type Auc = { readonly value: number; readonly low: number; readonly high: number }

type Row = Pick<MeasuredRow, 'positive' | 'risk' | 'weight' | 'sellerId'> & {
  /** Only rows of one place are compared with each other: who tells marketplaces apart tells no fakes. */
  readonly place?: string
}

type AreaAt = { readonly value: number; readonly pulls: readonly number[] }

/** `sellers`: of the kind with fewer, as many as it is worth; a marketplace where nothing is compared has none. */
type Area = AreaAt & { readonly sellers: number }

/** The chance that a confirmed row has a higher risk than a rejected one, ties counted half; undefined where a kind is missing. */
export function aucOf(rows: readonly Row[]): Auc | undefined {
  const found = areaOf(rows)
  return found === undefined ? undefined : within(rows, found, 0)
}

/** The same rows by two models in the same order: the area of the first less that of the second, paired. */
export function aucDifference(candidate: readonly Row[], champion: readonly Row[]): Auc | undefined {
  const [mine, theirs] = [areaOf(candidate), areaOf(champion)]
  if (mine === undefined || theirs === undefined) return undefined
  const pulls = mine.pulls.map((pull, i) => pull - (theirs.pulls[i] ?? 0))
  return within(candidate, { value: mine.value - theirs.value, pulls, sellers: mine.sellers }, -1)
}

/** Of each place, by how many pairs it has, and so its sellers (Kish): a fake alone on one and an honest row alone on another are two. */
function areaOf(rows: readonly Row[]): Area | undefined {
  const places = [...Map.groupBy(rows, (row) => row.place ?? '').values()]
  const areas = places.flatMap((own) => {
    const positives = weightOf(own.filter((row) => row.positive))
    const pairs = positives * (weightOf(own) - positives)
    const area = areaAt(own)
    if (area === undefined) return []
    const kinds = [own.filter((row) => row.positive), own.filter((row) => !row.positive)]
    return [{ ...area, own, pairs, sellers: Math.min(...kinds.map(sellersWorth)) }]
  })
  if (areas.length === 0) return undefined
  const all = areas.reduce((sum, { pairs }) => sum + pairs, 0)
  const pulls = new Map<Row, number>()
  for (const { own, pairs, pulls: here } of areas)
    own.forEach((row, i) => pulls.set(row, (pairs / all) * (here[i] ?? 0)))
  return {
    value: areas.reduce((sum, { value, pairs }) => sum + (pairs / all) * value, 0),
    pulls: rows.map((row) => pulls.get(row) ?? 0),
    sellers: 1 / areas.reduce((sum, { pairs, sellers }) => sum + (pairs / all) ** 2 / sellers, 0),
  }
}

/** By ranks (Mann and Whitney, 1947), and how far each row pulls the area (DeLong, DeLong and Clarke-Pearson, 1988). */
function areaAt(rows: readonly Row[]): AreaAt | undefined {
  const positives = weightOf(rows.filter((row) => row.positive))
  const negatives = weightOf(rows) - positives
  if (positives <= 0 || negatives <= 0) return undefined
  const below = { true: 0, false: 0 }
  const won = new Map<Row, number>()
  let area = 0
  for (const [, own] of [...Map.groupBy(rows, (row) => row.risk)].toSorted(([a], [b]) => a - b)) {
    const here = {
      true: weightOf(own.filter((row) => row.positive)),
      false: weightOf(own.filter((row) => !row.positive)),
    }
    for (const row of own)
      won.set(
        row,
        row.positive
          ? (below.false + here.false / 2) / negatives
          : (positives - below.true - here.true / 2) / positives,
      )
    area += here.true * (below.false + here.false / 2)
    below.true += here.true
    below.false += here.false
  }
  const value = area / (positives * negatives)
  const pulls = rows.map(
    (row) => (row.weight * ((won.get(row) ?? value) - value)) / (row.positive ? positives : negatives),
  )
  return { value, pulls }
}

/**
 * 95 %, a seller's rows together, since they resemble each other. Where no row pulls, as where all are told apart, that would
 * be certainty: of n sellers without an exception as many as 3 / n may be one (the rule of three).
 */
function within(rows: readonly Row[], { value, pulls, sellers }: Area, least: number): Auc {
  const ofSeller = new Map<string, number>()
  rows.forEach(({ sellerId }, i) => ofSeller.set(sellerId, (ofSeller.get(sellerId) ?? 0) + (pulls[i] ?? 0)))
  const chance = Z * Math.sqrt([...ofSeller.values()].reduce((sum, pull) => sum + pull ** 2, 0))
  const half = Math.max(chance, 3 / sellers)
  return { value: round(value), low: round(Math.max(value - half, least)), high: round(Math.min(value + half, 1)) }
}
