// What the gate decided at once on each record, what was decided on it later, and which of both was wrong by the fixtures' labels.
import type { Decision, Stage } from '../../domain/decision.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { Played } from './ledger.ts'
import { mistakeFor } from './telling.ts'

export interface Standing {
  readonly played: Played
  readonly first: Decision
  /** What followed without a record of its own, in its order. */
  readonly later: readonly Decision[]
  /** The last word so far: of `later`, or `first` where nothing followed. */
  readonly last: Decision
}

/** One for each record that was decided: an edited listing is decided anew and has one for each revision. */
export function standings(played: readonly Played[], later: readonly Decision[]): Standing[] {
  return played.flatMap((one) => {
    if (one.end?.kind !== 'decided') return []
    const first = one.end.decision
    const followed = later
      .filter(
        (d) => d.listingId === first.listingId && d.revision === first.revision && d.decisionId !== first.decisionId,
      )
      .toSorted((a, b) => a.sequence - b.sequence)
    return [{ played: one, first, later: followed, last: followed.at(-1) ?? first }]
  })
}

/** Wrong at once, or in the end: who was only stopped for a while was stopped. */
export const isMistake = ({ played, first, last }: Standing): boolean =>
  [first, last].some(({ outcome }) => mistakeFor(played.row, outcome) !== undefined)

const SAID: Readonly<Record<Outcome, string>> = { allow: 'allowed', hold: 'held', block: 'blocked' }
const BY: Readonly<Record<Stage, string>> = {
  screening: 'at once',
  deadline: 'when its time was up',
  review: 'by a person',
  rescreen: 'when the gate looked again',
}

/** All that was decided, in words: `held at once, allowed by a person`. */
export function courseOf({ first, later, last }: Standing): string {
  const course = [first, ...later].map(({ outcome, stage }) => `${SAID[outcome]} ${BY[stage]}`)
  return last.outcome === 'hold' ? `${course.join(', ')}, waits for a person` : course.join(', ')
}
