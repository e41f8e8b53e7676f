// How many infringe of the listings against which nothing speaks: learnt for each marketplace from what was drawn there.
import type { Scorecard } from '../domain/scorecard.ts'
import { compare } from './training-set.ts'

export interface SampledRow {
  readonly positive: boolean
  readonly marketplace: string | null
  /** It went on sale unseen and was drawn from there. */
  readonly drawn: boolean
  /** How many listings it stands for. */
  readonly weight: number
}

/** A marketplace with enough draws, and where its rows stand. */
export interface Place {
  readonly marketplace: string | null
  readonly rows: readonly number[]
}

/** The shipped share counts as much as so many listings in the base that decides. */
const SHIPPED_COUNT = 100
/**
 * And as one while the ratios are fitted, enough to keep a base finite: held any more, it would leave what one marketplace
 * is like to the ratios, which all marketplaces share and ten labels hold.
 */
export const FITTING_COUNT = 1
/** Without so many drawn listings nothing is known of what goes on sale unseen, and the shipped share stays. */
const LEAST_DRAWN = 20
/**
 * What a learnt base leaves to evidence before a listing is held, in odds: two to one. Less is what honest listings show all
 * the time (in the card that ships a much-copied mark 1.3, a price half way down 1.5, the brand's own photo 1.5).
 */
const LEFT_TO_EVIDENCE = 2
/** More than safeguarded Newton steps and halvings need for twelve digits. */
const MOST_STEPS = 60

type Prior = Scorecard['prior']

/** In one order, whatever the rows came in. */
export function placesOf(rows: readonly SampledRow[]): Place[] {
  const indices = Map.groupBy(rows.keys(), (n) => rows[n]?.marketplace ?? null)
  return [...indices]
    .filter(([, own]) => own.filter((n) => rows[n]?.drawn === true).length >= LEAST_DRAWN)
    .toSorted(([a], [b]) => compare(JSON.stringify(a), JSON.stringify(b)))
    .map(([marketplace, own]) => ({ marketplace, rows: own }))
}

/**
 * The base in log-odds at which as many of a place's rows are expected to infringe as did, each standing for as many as it
 * was drawn for and with its evidence (log-odds) counted, and `count` listings of the shipped share beside them. A
 * share alone would be wrong here: no signal speaks for a listing, so what is left when none speaks against it must not
 * count again those fakes that signals find.
 */
export function baseAt(
  { rows: indices }: Place,
  rows: readonly SampledRow[],
  evidence: (row: number) => number,
  shipped: number,
  count: number = SHIPPED_COUNT,
): number {
  const own = indices.flatMap((n) => {
    const row = rows[n]
    return row === undefined ? [] : [{ ...row, evidence: evidence(n) }]
  })
  const scale = worthOf(own) / weightOf(own)
  let [low, high] = [-LIMIT, LIMIT]
  let base = logit(shipped)
  for (let step = 0; step < MOST_STEPS && high - low > 1e-12; step++) {
    const p = logistic(base)
    let [missing, information] = [count * (shipped - p), count * p * (1 - p)]
    for (const row of own) {
      const expected = logistic(base + row.evidence)
      missing += scale * row.weight * ((row.positive ? 1 : 0) - expected)
      information += scale * row.weight * expected * (1 - expected)
    }
    // More are missing the lower the base: each look narrows where it lies, and a step that leaves that is halved.
    if (missing > 0) low = base
    else high = base
    const next = base + missing / information
    if (Math.abs(next - base) < 1e-12) break
    base = next > low && next < high ? next : (low + high) / 2
  }
  return base
}

/**
 * The highest base that may be learnt. `holds` are the risks from which the policy holds, of all brands: below the lowest by
 * `LEFT_TO_EVIDENCE`, so that no listing is held by its marketplace alone. A policy that holds at the shipped share already
 * holds all it likes.
 */
export function mostBase(shipped: number, holds: readonly number[]): number {
  const least = Math.min(1, ...holds.filter((hold) => hold > shipped))
  return least === 1 ? 1 : Math.max(shipped, round(logistic(logit(least) - Math.log(LEFT_TO_EVIDENCE))))
}

/**
 * The shipped share everywhere, and a base of its own for each place: what is sold in one says little of the next, which may
 * have no fakes at all, and a base moves every listing there. `bases` are their log-odds; figures rounded to six digits.
 */
export function priorWith(
  shipped: Prior,
  rows: readonly SampledRow[],
  bases: readonly (Place & { readonly base: number })[],
  holds: readonly number[],
): Prior {
  const { probability } = shipped
  const most = mostBase(probability, holds)
  const places = bases.map(({ marketplace, rows: own, base }) => {
    const share = round(logistic(base))
    const kept = share > most ? `, kept at ${most} of ${share}: more would hold what nothing speaks against` : ''
    return {
      marketplace,
      probability: Math.min(share, most),
      source: `${sourceOf(own.flatMap((n) => rows[n] ?? []))}${kept}`,
    }
  })
  const elsewhere = places.length > 0 ? 'where fewer were drawn than' : 'no marketplace has'
  const source = `As shipped, ${elsewhere} the ${LEAST_DRAWN} listings drawn from what went on sale that are the least to say how many infringe. ${shipped.source}`
  return { probability, source, ...(places.length === 0 ? {} : { marketplaces: places }) }
}

function sourceOf(rows: readonly SampledRow[]): string {
  const share = rows.reduce((sum, { weight, positive }) => sum + (positive ? weight : 0), 0) / weightOf(rows)
  const drawn = rows.filter((row) => row.drawn)
  const confirmed = drawn.filter((row) => row.positive).length
  return `${drawn.length} listings drawn there (${confirmed} confirmed) among ${rows.length} with a verdict, weighted by how they were sampled (worth ${round(worthOf(rows))} listings, share ${round(share)}), what signals say of them counted, and ${SHIPPED_COUNT} listings of the shipped share`
}

const weightOf = (rows: readonly SampledRow[]): number => rows.reduce((sum, { weight }) => sum + weight, 0)

/** Kish: rows that stand for many tell less than as many rows would. */
const worthOf = (rows: readonly SampledRow[]): number =>
  weightOf(rows) ** 2 / rows.reduce((sum, { weight }) => sum + weight ** 2, 0)

/** The fusion's own: beyond it no base is told apart. */
const LIMIT = 15
const logit = (p: number): number => Math.log(p) - Math.log1p(-p)
const logistic = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds))

/** Six digits, as for the ratios: the last bits of a machine decide nothing. */
const round = (value: number): number => Number(value.toPrecision(6))
