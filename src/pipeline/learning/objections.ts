// The reasons to think twice before a version decides, as its card gives them; none is the good case.
import { z } from 'zod'
import type { ModelCard } from '../../domain/model.ts'
import { misfit } from './card.ts'
import { honestLine, LEAST_SELLERS, MOST_RISE } from './honest.ts'
import { nameOf, unmeasuredOf } from './places.ts'
import { textLosses } from './text-losses.ts'

const side = z.object({ count: z.number(), share: z.number() })
const stopped = z.object({
  rows: z.number(),
  candidate: side,
  champion: side,
  rise: z.object({ value: z.number(), low: z.number(), high: z.number() }),
  more: z.boolean(),
})
const share = z.object({ value: z.number().nullable(), rows: z.number() })
const falsePositives = z.object({ hold: share, block: share })
const compared = z.object({
  champion: z.object({ version: z.string().nullish() }).optional(),
  comparison: z.object({ standing: z.string(), difference: z.number().optional() }),
})
const thresholds = z.object({ hold: stopped, block: stopped })
const honest = z.object({ comparison: z.object({ honest: thresholds }) })
const everywhere = z.object({
  comparison: z.object({ places: z.array(z.object({ marketplace: z.string().nullable(), honest: thresholds })) }),
})
/** Cards that were made before the honest ones were compared. */
const apart = z.object({ candidate: z.object({ falsePositives }), champion: z.object({ falsePositives }) })

const VERBS = [
  ['hold', 'stops'],
  ['block', 'blocks'],
] as const

/** What the figures of its card say against a version. */
export function losses({ measured }: { readonly measured: unknown }): string[] {
  const ofText = textLosses(measured)
  if (ofText !== undefined) return ofText
  const known = compared.safeParse(measured)
  if (!known.success) return []
  const { champion, comparison } = known.data
  const version = typeof champion?.version === 'string' ? ` ${champion.version}` : ''
  const found = ofTheHonest(measured, `and version${version}, which decided then,`)
  if (comparison.standing === 'worse' && (found.length === 0 || (comparison.difference ?? 0) > 0))
    found.push(`on listings that neither had seen it does worse than version${version}, which decided then`)
  return found
}

function ofTheHonest(measured: unknown, against: string): string[] {
  const paired = honest.safeParse(measured)
  if (paired.success) {
    const by = paired.data.comparison.honest
    const all = VERBS.filter(([at]) => by[at].more).map(([at, verb]) => honestLine(verb, by[at], against))
    const places = everywhere.safeParse(measured).data?.comparison.places ?? []
    // The only one is all of them.
    if (places.length < 2) return all
    const each = places.flatMap(({ marketplace, honest: own }) =>
      VERBS.filter(([at]) => own[at].more).map(
        ([at, verb]) => `of ${nameOf(marketplace)} ${honestLine(verb, own[at], against)}`,
      ),
    )
    return [...all, ...each]
  }
  const both = apart.safeParse(measured)
  if (!both.success) return []
  return VERBS.flatMap(([at, verb]) => {
    const [now, before] = [both.data.candidate.falsePositives[at], both.data.champion.falsePositives[at]]
    const rise = (now.value ?? 0) - (before.value ?? 0)
    if (rise <= MOST_RISE || rise * now.rows < LEAST_SELLERS) return []
    const percent = (value: number | null) => `${((value ?? 0) * 100).toFixed(1)} %`
    return [
      `it ${verb} ${percent(now.value)} of the ${now.rows} honest listings that neither had seen, ${against} ${percent(before.value)}`,
    ]
  })
}

/** What its card says against a version: figures that lost, and marketplaces of which it says too little. */
export const cardObjections = (card: ModelCard): string[] => [...losses(card), ...unmeasuredOf(card)]

/** And what the text model does that is active. */
export function objections(card: ModelCard, active: Readonly<Record<string, string | undefined>>): string[] {
  const unfit = misfit(card, active['text'])
  return unfit === undefined ? cardObjections(card) : [...cardObjections(card), unfit]
}
