// A fusion in the registry, with a card that says nothing against it.
import { createHash } from 'node:crypto'
import type { Scorecard } from '../../src/domain/scorecard.ts'
import type { KeptModel, ModelStore } from '../../src/learning/ports.ts'

export async function keepFusion(models: ModelStore, scorecard: Scorecard, version: string): Promise<KeptModel> {
  const body = Buffer.from(JSON.stringify({ ...scorecard, version }))
  const sha256 = createHash('sha256').update(body).digest('hex')
  const trained = { seed: 1, marketplaces: [], rows: 0, confirmed: 0, until: null, invented: true }
  const { prior } = scorecard
  return models.put({
    card: { name: 'fusion', version, sha256, description: '', trained, measured: {}, prior },
    body,
    by: 'ann',
  })
}
