// A model's card as a person reads it: what it learnt from, and how it did on what it had not seen, beside what decided then.
import { z } from 'zod'
import type { ModelCard } from '../domain/model.ts'

const share = z.object({ value: z.number().nullable(), low: z.number(), high: z.number(), rows: z.number() })
const figures = z.object({
  precision: z.object({ hold: share }),
  recall: z.object({ all: share, overt: share, silent: share }),
  falsePositives: z.object({ hold: share, block: share }),
  brier: z.number(),
  expectedError: z.number(),
  auc: z.number().nullable(),
})
const fusion = z.object({
  heldOut: z.object({ rows: z.number(), confirmed: z.number(), sellers: z.number(), from: z.string() }),
  candidate: figures,
  champion: figures.extend({ version: z.string() }),
  comparison: z.object({ difference: z.number(), low: z.number(), high: z.number(), standing: z.string() }),
})
const text = z.object({
  heldOut: z.object({ rows: z.number(), scored: z.number(), auc: z.number().nullable() }),
  comparison: z.object({ on: z.number(), standing: z.string() }),
  champion: z.object({ version: z.string().nullable(), auc: z.number().nullable() }),
})

/** Indented by two. Cards of other makers, such as those that ship, are told without figures. */
export function cardText(card: ModelCard): string {
  const { trained, measured } = card
  const lines = [
    card.description,
    `Learnt from ${trained.rows} listings (${trained.confirmed} confirmed)${trained.invented ? ', invented ones' : ''}, seed ${trained.seed}, until ${trained.until ?? 'no time'}; marketplaces: ${trained.marketplaces.join(', ') || 'none'}.`,
  ]
  const asFusion = fusion.safeParse(measured)
  const asText = text.safeParse(measured)
  if (asFusion.success) lines.push(...fusionLines(asFusion.data))
  else if (asText.success) {
    const { heldOut, comparison, champion } = asText.data
    lines.push(
      `Of ${heldOut.rows} later listings of other sellers it scores ${heldOut.scored}: ROC AUC ${number(heldOut.auc)}.`,
      `Beside version ${champion.version ?? 'none'} (AUC ${number(champion.auc)} on the ${comparison.on} that both scored): ${comparison.standing}.`,
    )
  }
  return lines.map((line) => `  ${line}`).join('\n')
}

function fusionLines({ heldOut, candidate, champion, comparison }: z.infer<typeof fusion>): string[] {
  return [
    `On ${heldOut.rows} listings (${heldOut.confirmed} confirmed) of ${heldOut.sellers} other sellers, from ${heldOut.from} on:`,
    ...figureLines('this version', candidate),
    ...figureLines(`version ${champion.version}`, champion),
    comparisonLine(comparison),
  ]
}

/** At the policy's threshold for holding. */
export const figureLines = (name: string, f: z.infer<typeof figures>): string[] => [
  `${name}: stopped ${percent(f.recall.overt)} of the overt and ${percent(f.recall.silent)} of the silent, ${percent(f.falsePositives.hold)} of the honest; precision ${percent(f.precision.hold)}; Brier ${number(f.brier)}, calibration error ${number(f.expectedError)}, ROC AUC ${number(f.auc)}`,
]

export const comparisonLine = ({ difference, low, high, standing }: z.infer<typeof fusion>['comparison']): string =>
  `Squared error ${difference <= 0 ? 'lower' : 'higher'} by ${number(Math.abs(difference))} [${number(low)}, ${number(high)}]: ${standing}.`

const number = (n: number | null): string => (n === null ? '-' : String(Number(n.toFixed(4))))
const percent = ({ value, low, high }: z.infer<typeof share>): string =>
  value === null ? '-' : `${(value * 100).toFixed(1)} % [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`
