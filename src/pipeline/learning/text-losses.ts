// What the figures on its card say against a text model, over all marketplaces and on each.
import { z } from 'zod'
import { placeLosses } from './text-places.ts'

const measuredText = z.object({
  heldOut: z.object({
    scored: z.number(),
    auc: z.number().nullable(),
    // Older cards lack it.
    within: z.object({ low: z.number(), high: z.number() }).nullish(),
  }),
  champion: z.object({ version: z.string().nullish() }).optional(),
  comparison: z.object({
    on: z.number(),
    standing: z.string(),
    aucDifference: z.object({ value: z.number() }).nullish(),
  }),
})

/** Undefined where the figures are not those of a text model. */
export function textLosses(measured: unknown): string[] | undefined {
  const known = measuredText.safeParse(measured)
  if (!known.success) return undefined
  const { heldOut, champion, comparison } = known.data
  if (comparison.standing !== 'worse') return []
  const version = champion?.version ?? undefined
  const before = version === undefined ? 'what decided then' : `version ${version}, which decided then`
  const found: string[] = []
  if (heldOut.auc !== null && heldOut.auc < 0.5) {
    const { low, high } = heldOut.within ?? {}
    const within = low === undefined || high === undefined ? '' : ` [${low}, ${high}]`
    const alone = comparison.on === 0 ? `; ${before}, scored none of them` : ''
    found.push(
      `it tells fakes from honest listings worse than chance: ROC AUC ${heldOut.auc}${within} on the ${heldOut.scored} listings that it scored and had not seen${alone}`,
    )
  }
  found.push(...placeLosses(measured, version === undefined ? before : `version ${version}`))
  const lower = (comparison.aucDifference?.value ?? 0) < 0
  // An older card says no more than how it stands.
  if (lower || found.length === 0) found.push(`on listings that neither had seen it does worse than ${before}`)
  return found
}
