// Reads the scorecard that ships: a stage touches no file, so an app does it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Scorecard } from '../domain/scorecard.ts'
import { parseScorecard } from '../risk/parse-scorecard.ts'

/** The version under models/fusion/ that a fresh installation decides with. */
const SHIPPED_VERSION = '2'

/** Reads `fusion/<version>/card.json` below a directory of models; rejects where it is missing or not a scorecard. */
export async function loadScorecard(modelsDirectory: string, version = SHIPPED_VERSION): Promise<Scorecard> {
  return parseScorecard(await readFile(join(modelsDirectory, 'fusion', version, 'card.json'), 'utf8'))
}
