// Reads the scorecard that ships, so that an app can hand it to the fusion.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scorecardSchema, type Scorecard } from '../domain/scorecard.ts'

/** The version under models/fusion/ that a fresh installation decides with. */
export const SHIPPED_CARD_VERSION = '1'

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) freeze(child)
  }
  return value
}

/** A scorecard from JSON text, deeply frozen; throws a ZodError that names every bad key, or a SyntaxError. */
export function parseScorecard(text: string): Scorecard {
  return freeze(scorecardSchema.parse(JSON.parse(text)))
}

/**
 * Reads `fusion/<version>/card.json` below a directory of models (the package's own `models/`, whose place only an app
 * knows: compiled and native runs lie at different depths).
 */
export async function loadScorecard(modelsDirectory: string, version = SHIPPED_CARD_VERSION): Promise<Scorecard> {
  return parseScorecard(await readFile(join(modelsDirectory, 'fusion', version, 'card.json'), 'utf8'))
}
