// The learning loop in memory, for tests of HTTP behaviour: it remembers what it was asked.
import type { Learning } from '../../../src/api/ports.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { TrainingState } from '../../../src/learning/ports.ts'

export function memoryLearning(): Learning {
  let training: TrainingState | null = null
  let active: string | null = null
  return {
    list: async () => ({ items: [], shipped: { fusion: '2', text: '1' }, training }),
    async train(name, seed, by) {
      if (training !== null) throw new TouchstoneError('training-running', `${training.by} started one`)
      const models = name === 'all' ? (['fusion', 'text'] as const) : [name]
      const startedAt = '2026-01-01T00:00:00.000Z'
      const trainingId = '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb'
      return (training = { trainingId, state: 'running', models: [...models], seed, by, startedAt })
    },
    async promote({ fusion, text }, { force }) {
      const name = fusion === undefined ? 'text' : 'fusion'
      const version = fusion ?? text ?? ''
      if (version === 'none') throw new TouchstoneError('not-found', 'there is no version none')
      if (version === 'loser' && !force) throw new TouchstoneError('model-loses', 'it lost')
      const before = active
      active = version
      return {
        name,
        version,
        before,
        change: 1n,
        overruled: version === 'loser' ? ['it lost'] : [],
        warnings: name === 'text' ? ['apart'] : [],
        ...(fusion !== undefined &&
          text !== undefined && { text: { name: 'text', version: text, before: null, change: 1n } }),
        ...(version === 'learnt' && { scope: 'It decides on listings of demo' }),
      }
    },
    async rollback(name, { force }) {
      if (active === null) throw new TouchstoneError('nothing-to-roll-back', 'what ships decides')
      if (active === 'fitted' && !force) throw new TouchstoneError('model-mismatch', 'the fusion needs it')
      const before = active
      active = null
      return {
        name: name === 'all' ? 'fusion' : name,
        ...(name === 'all' && { text: { name: 'text', version: null, before: 'worded', change: 2n } }),
        version: null,
        before,
        change: 2n,
        overruled: before === 'fitted' ? ['the fusion needs it'] : [],
        warnings: [],
      }
    },
  }
}
