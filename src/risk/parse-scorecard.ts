// A fusion model from its JSON text: checked once, then trusted and frozen.
import { scorecardSchema, type Scorecard } from '../domain/scorecard.ts'

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) freeze(child)
  }
  return value
}

/** A scorecard, deeply frozen; throws a ZodError that names every bad key, or a SyntaxError. */
export function parseScorecard(text: string): Scorecard {
  return freeze(scorecardSchema.parse(JSON.parse(text)))
}
