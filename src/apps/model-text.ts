// A model's card as a person reads it: what it learnt from, and how it did on what it had not seen, beside what decided then.
import { z } from 'zod'
import type { ModelCard } from '../domain/model.ts'
import { scorecardSchema } from '../domain/scorecard.ts'
import type { Counted } from '../pipeline/learning/compare.ts'
import { losses } from '../pipeline/learning/objections.ts'
import { nameOf, unmeasuredOf } from '../pipeline/learning/places.ts'
import { saidByLines } from '../pipeline/learning/said-by.ts'
import { scopeLine } from '../pipeline/learning/scope-said.ts'
import { textPlaceLines } from '../pipeline/learning/text-places.ts'

const share = z.object({ value: z.number().nullable(), low: z.number(), high: z.number(), rows: z.number() })
const atRate = z.object({
  most: z.number(),
  threshold: z.number().nullable(),
  falsePositives: share,
  recall: z.object({ all: share, overt: share, silent: share }),
})
const figures = z.object({
  precision: z.object({ hold: share }),
  recall: z.object({ all: share, overt: share, silent: share }),
  falsePositives: z.object({ hold: share, block: share }),
  /** Older cards lack it. */
  atRate: atRate.optional(),
  brier: z.number(),
  expectedError: z.number(),
  auc: z.number().nullable(),
})
const fusion = z.object({
  heldOut: z.object({
    rows: z.number(),
    confirmed: z.number(),
    drawn: z.number(),
    sellers: z.number(),
    from: z.string(),
    /** Where marketplaces have a line of their own. */
    places: z.array(z.unknown()).optional(),
  }),
  candidate: figures,
  champion: figures.extend({ version: z.string(), mayHaveLearnt: z.number().optional() }),
  comparison: z.object({ difference: z.number(), low: z.number(), high: z.number(), standing: z.string() }),
})
const stopped = z.object({
  rows: z.number(),
  candidate: z.object({ count: z.number() }),
  champion: z.object({ count: z.number() }),
})
const places = z.object({
  comparison: z.object({
    places: z.array(
      z.object({
        marketplace: z.string().nullable(),
        rows: z.number(),
        confirmed: z.number(),
        honest: z.object({ hold: stopped }),
      }),
    ),
  }),
})
const prior = scorecardSchema.shape.prior
const auc = z.object({ value: z.number(), low: z.number(), high: z.number() })
const text = z.object({
  heldOut: z.object({
    rows: z.number(),
    scored: z.number(),
    auc: z.number().nullable(),
    // Older cards lack them.
    within: z.object({ low: z.number(), high: z.number() }).nullish(),
    overt: auc.nullish(),
    silent: auc.nullish(),
  }),
  comparison: z.object({
    on: z.number(),
    auc: z.number().nullish(),
    aucDifference: auc.nullish(),
    standing: z.string(),
  }),
  champion: z.object({
    version: z.string().nullable(),
    auc: z.number().nullable(),
    mayHaveLearnt: z.number().optional(),
  }),
})

const used = z.object({
  labels: z.number(),
  learntFrom: z.number(),
  heldOut: z.number(),
  leftOut: z.object({ repeated: z.number(), sellerOnBothSides: z.number(), wordsOnBothSides: z.number() }),
})

/** What became of the verdicts, and why some of them count for neither. */
export function usedText({ labels, learntFrom, heldOut, leftOut }: z.infer<typeof used>): string {
  const { repeated, sellerOnBothSides, wordsOnBothSides } = leftOut
  const why = [
    [sellerOnBothSides, 'by sellers with listings on both sides, drawn for the other one'],
    [repeated, 'on a listing, or the same words of a seller, for which another verdict stands'],
    [wordsOnBothSides, 'in words that stand on both sides but for numbers and signs, drawn for the other one'],
  ] as const
  const reasons = why.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const left = repeated + sellerOnBothSides + wordsOnBothSides
  return `${labels} verdicts count: ${learntFrom} to learn from, ${heldOut} listings decided later to measure on, ${left} left out${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}.`
}

/** What a comparison was made on, and why the other verdicts count for nothing in it. */
export function comparedText({ labels, rows, drawn, leftOut }: Counted & { readonly rows: number }): string {
  const { repeated, decidedEarlier, sellerLearntFrom, wordsLearntFrom, learntByTheOther } = leftOut
  const why = [
    [decidedEarlier, 'decided before what was held out'],
    [sellerLearntFrom, 'by sellers that it may have learnt from'],
    [wordsLearntFrom, 'in words that it may have learnt from, but for numbers and signs'],
    [learntByTheOther, 'that the version which decides may have learnt from'],
    [repeated, 'on a listing, or the same words of a seller, for which another verdict stands'],
  ] as const
  const reasons = why.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const left = labels - rows
  return `Of ${labels} verdicts that count, on ${rows} listings that neither version learnt from; ${left} left out${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}. ${drawnText(drawn)}`
}

/** Figures of what was stopped say nothing of what went on sale. */
const drawnText = (drawn: number): string =>
  drawn === 0
    ? 'None of them was drawn from what went on sale unseen: the shares are of what was stopped or pointed at, not of all listings.'
    : `${drawn} of them were drawn from what went on sale unseen and stand for all of it.`

const unloadable = z.array(z.object({ name: z.string(), version: z.string(), why: z.string() }))

/** Of itself a version says nothing: it was made with its own bytes again. What is beside a text model does not change its bytes. */
const insteadLines = ({ measured, ...made }: ModelCard): string[] =>
  (unloadable.safeParse(measured['unloadable']).data ?? [])
    .filter(({ name, version }) => version !== made.version && (made.name === 'fusion' || name === 'text'))
    .map(({ name, version, why }) => {
      const instead = `what ships in place of ${name}@${version}, which was promoted and could not be read (${why})`
      return made.name === 'text'
        ? `Compared with ${instead}.`
        : `Made beside ${instead}: beside that one whole the same verdicts and seed may give other bytes.`
    })

/** Indented by two. Cards of other makers, such as those that ship, are told without figures. */
export function cardText(card: ModelCard): string {
  const { trained, measured } = card
  const usedOf = z.object({ used }).safeParse(measured)
  const lines = [
    card.description,
    `Learnt from ${trained.rows} listings (${trained.confirmed} confirmed)${trained.invented ? ', invented ones' : ''}, seed ${trained.seed}, decided until ${trained.until ?? 'no time'}; marketplaces: ${trained.marketplaces.map((name) => name || nameOf(name)).join(', ') || 'none named'}.`,
  ]
  if (usedOf.success) lines.push(usedText(usedOf.data.used))
  lines.push(...insteadLines(card))
  const scope = scopeLine(card)
  if (scope !== undefined) lines.push(`${scope}.`)
  lines.push(...saidByLines(card))
  const rates = prior.safeParse(card['prior'])
  if (rates.success) lines.push(...rateLines(rates.data))
  const asFusion = fusion.safeParse(measured)
  const asText = text.safeParse(measured)
  if (asFusion.success) {
    lines.push(...fusionLines(asFusion.data, losses(card)), ...placeLines(measured))
  } else if (asText.success) {
    lines.push(...textLines(asText.data), ...textPlaceLines(measured))
    lines.push(...losses(card).map((why) => `Against it: ${why}.`))
  }
  lines.push(...unmeasuredOf(card).map((why) => `Against it: ${why}.`))
  return lines.map((line) => `  ${line}`).join('\n')
}

/** Rows that both scored; without any of both kinds nothing was compared, whatever an older card calls it. */
export function textLines({ heldOut, comparison, champion }: z.infer<typeof text>): string[] {
  const { on, auc: own, aucDifference: by, standing } = comparison
  const apart = [
    ['overt', heldOut.overt],
    ['silent', heldOut.silent],
  ] as const
  const kinds = apart.flatMap(([kind, area]) =>
    area === undefined || area === null ? [] : [`${kind} ${number(area.value)} ${range(area)}`],
  )
  const known = `${number(heldOut.auc)}${!heldOut.within ? '' : ` ${range(heldOut.within)}`}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`
  const scores = `Of ${heldOut.rows} later listings of other sellers it scores ${heldOut.scored}: ROC AUC ${known}.`
  const beside = `Beside version ${champion.version ?? 'none'}`
  if (champion.auc === null) {
    const why = on === 0 ? 'there is no listing that both scored' : `the ${on} that both scored are of one kind`
    return [scores, `${beside} there was nothing to compare: ${why}.`]
  }
  const aucs = `AUC ${number(champion.auc)}, this one ${number(own ?? null)}${!by ? '' : `, ${by.value < 0 ? 'lower' : 'higher'} by ${number(Math.abs(by.value))} ${range(by)}`}`
  return [scores, ...flattered(champion), `${beside} (${aucs}, on the ${on} that both scored): ${standing}.`]
}

const flattered = ({
  version,
  mayHaveLearnt = 0,
}: {
  version: string | null
  mayHaveLearnt?: number | undefined
}): string[] =>
  mayHaveLearnt === 0
    ? []
    : [`Version ${version ?? 'none'} may have learnt from ${mayHaveLearnt} of them, which flatters it here.`]

/** Where draws have moved the base rate, with how many they were. */
const rateLines = ({ probability, marketplaces }: z.infer<typeof prior>): string[] =>
  (marketplaces ?? []).map(({ marketplace, ...own }) => {
    const where = marketplace === null ? 'Listings of no marketplace' : `Listings of ${marketplace}`
    return `${where} begin at a risk of ${number(own.probability)}, elsewhere at ${number(probability)}: ${own.source}.`
  })

function fusionLines(
  { heldOut, candidate, champion, comparison }: z.infer<typeof fusion>,
  against: readonly string[],
): string[] {
  const later =
    heldOut.places === undefined
      ? `decided from ${heldOut.from} on`
      : 'of each marketplace with enough of them those that were decided later'
  return [
    `On ${heldOut.rows} listings (${heldOut.confirmed} confirmed) of ${heldOut.sellers} other sellers, ${later}. ${drawnText(heldOut.drawn)}`,
    ...flattered(champion),
    ...figureLines('this version', candidate),
    ...figureLines(`version ${champion.version}`, champion),
    ...comparisonLines(comparison, against),
  ]
}

/** Each marketplace where there are several: over all of them together the largest speaks for the others. */
export function placeLines(measured: unknown): string[] {
  const found = places.safeParse(measured).data?.comparison.places ?? []
  if (found.length < 2) return []
  return found.map(({ marketplace, rows, confirmed, honest: { hold } }) => {
    const by = `this version stops ${hold.candidate.count} and the other one ${hold.champion.count}`
    return `Of ${nameOf(marketplace)} ${rows} (${confirmed} confirmed); of the ${hold.rows} honest ones ${by}.`
  })
}

/** At the policy's threshold for holding. */
export const figureLines = (name: string, f: z.infer<typeof figures>): string[] => [
  `${name}: stopped ${percent(f.recall.overt)} of the overt and ${percent(f.recall.silent)} of the silent, ${percent(f.falsePositives.hold)} of the honest; precision ${percent(f.precision.hold)}; Brier ${number(f.brier)}, calibration error ${number(f.expectedError)}, ROC AUC ${number(f.auc)}`,
  ...(f.atRate === undefined ? [] : [rateLine(name, f.atRate)]),
]

/** Honest listings are few among verdicts: their interval says what the rate is worth. */
const rateLine = (name: string, { most, threshold, falsePositives, recall }: z.infer<typeof atRate>): string =>
  `${name}, stopping at most ${(most * 100).toFixed(1)} % of the honest (${threshold === null ? 'no threshold stops so few' : `from a risk of ${number(threshold)} on, a threshold chosen on these listings`}; ${percent(falsePositives)} of ${falsePositives.rows}): ${percent(recall.overt)} of the overt, ${percent(recall.silent)} of the silent`

/** `against`: what the figures say against the new one; then it is worse, whatever an older card calls it. */
export function comparisonLines(
  { difference, low, high, standing }: z.infer<typeof fusion>['comparison'],
  against: readonly string[],
): string[] {
  const how = `Squared error ${difference <= 0 ? 'lower' : 'higher'} by ${number(Math.abs(difference))} [${number(low)}, ${number(high)}]`
  if (against.length === 0) return [`${how}: ${standing}.`]
  return [`${how}; all in all: worse.`, ...against.map((why) => `Against it: ${why}.`)]
}

const range = ({ low, high }: { low: number; high: number }): string => `[${number(low)}, ${number(high)}]`
const number = (n: number | null): string => (n === null ? '-' : String(Number(n.toFixed(4))))
const percent = ({ value, low, high }: z.infer<typeof share>): string =>
  value === null ? '-' : `${(value * 100).toFixed(1)} % [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`
