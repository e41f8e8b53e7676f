// Who said what a version learnt: a person who confirms everything teaches it to stop everything, and nobody would see it in its figures.
import { z } from 'zod'
import type { TrainingRow } from '../../learning/training-set.ts'

/** On a card people have no names. */
const saidBySchema = z.object({
  people: z.int(),
  /** Whoever said most. */
  loudest: z.object({ role: z.string(), rows: z.int(), confirmed: z.int() }).nullable(),
  /** Those of at least `ENOUGH` rows who rejected nothing, and the rows that they confirmed. */
  neverRejected: z.object({ people: z.int(), confirmed: z.int() }),
  confirmed: z.int(),
})
export type SaidBy = z.infer<typeof saidBySchema>

/** Fewer confirmed in a row happen to anybody. */
const ENOUGH = 10

/** Nothing depends on the order of the rows but a tie for the loudest, and rows have one order. */
export function saidBy(rows: readonly Pick<TrainingRow, 'saidBy' | 'label'>[]): SaidBy {
  const people = [...Map.groupBy(rows, (row) => JSON.stringify([row.saidBy.role, row.saidBy.subject])).values()].map(
    (own) => ({
      role: own[0]?.saidBy.role ?? '',
      rows: own.length,
      confirmed: own.filter((row) => row.label === 'confirmed').length,
    }),
  )
  const never = people.filter((one) => one.rows >= ENOUGH && one.confirmed === one.rows)
  return {
    people: people.length,
    loudest: people.toSorted((a, b) => b.rows - a.rows)[0] ?? null,
    neverRejected: { people: never.length, confirmed: never.reduce((sum, one) => sum + one.confirmed, 0) },
    confirmed: people.reduce((sum, one) => sum + one.confirmed, 0),
  }
}

const learnt = z.object({ learntFrom: z.object({ rows: z.number(), saidBy: saidBySchema }) })

/** As a person reads it on a card; none on cards that were made before it was counted. */
export function saidByLines({ measured }: { readonly measured: unknown }): string[] {
  const known = learnt.safeParse(measured)
  if (!known.success || known.data.learntFrom.saidBy.loudest === null) return []
  const { people, loudest } = known.data.learntFrom.saidBy
  const busiest = `the role ${loudest.role}, ${loudest.rows} of ${known.data.learntFrom.rows} (${loudest.confirmed} confirmed)`
  return [
    people === 1 ? `All was said by one person: ${busiest}.` : `Said by ${people} people; most by one of ${busiest}.`,
    ...oneSided({ measured }).map((why) => `Look at it: ${why}.`),
  ]
}

/** Where most of what it learnt as confirmed comes from people who reject nothing. */
export function oneSided({ measured }: { readonly measured: unknown }): string[] {
  const known = learnt.safeParse(measured)
  if (!known.success) return []
  const { neverRejected, confirmed } = known.data.learntFrom.saidBy
  if (neverRejected.people === 0 || neverRejected.confirmed * 2 <= confirmed) return []
  return [
    `${neverRejected.confirmed} of the ${confirmed} confirmed listings that it learnt from were said by ${neverRejected.people === 1 ? 'one who' : `${neverRejected.people} who`} rejected nothing: if they confirm whatever they see, it has learnt to stop it, and its figures are by the same word`,
  ]
}
