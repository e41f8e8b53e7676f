// A promotion while somebody else changes what it is held against. Real: PostgreSQL, the registry, policies, the promotion; the moment is chosen.
import { beforeEach, expect, test } from 'vitest'
import { gateParts } from '../../src/apps/gate-parts.ts'
import type { ModelStore } from '../../src/learning/ports.ts'
import { promoteModels } from '../../src/pipeline/learning/promote.ts'
import type { GateParts } from '../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { keepFusion } from '../support/kept-fusion.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let parts: GateParts
beforeEach(async () => {
  node = await freshNode()
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  await node.reference.publishPolicy(defaultPolicy(), 'ann', undefined)
  for (const version of ['a', 'b']) await keepFusion(node.models, parts.scorecard, version)
})

const shipped = () => ({ fusion: parts.scorecard.version, text: null })
/** `meanwhile` happens when all was looked at but the bytes. */
const promote = (version: string, force: boolean, meanwhile: () => Promise<unknown> = async () => undefined) => {
  const store: ModelStore = {
    ...node.models,
    async body(name, asked) {
      await meanwhile()
      return await node.models.body(name, asked)
    },
    async active() {
      const found = await node.models.active()
      if (version === shipped().fusion) await meanwhile()
      return found
    },
  }
  const promotion = { store, reference: node.reference, signals: parts.signals, shipped: shipped() }
  return promoteModels(promotion, { fusion: version }, { by: 'ann', force })
}
const deciding = async () => (await node.models.active()).map(({ version }) => version)

test.each([false, true])('where another version decides by then it is refused, by force or not (%s)', async (force) => {
  const refused = promote('a', force, () => node.models.promote('fusion', 'b', 'bob'))
  await expect(refused).rejects.toMatchObject({ code: 'model-conflict' })
  expect(await deciding()).toEqual(['b'])
  expect(await promote('a', force)).toMatchObject({ version: 'a', before: 'b' })
})

test('where a policy holds from elsewhere by then, and where what ships shall decide again, as well', async () => {
  const stricter = { ...defaultPolicy(), thresholds: { hold: 0.1, block: 0.9 } }
  const refused = promote('a', false, () => node.reference.publishPolicy(stricter, 'bob', undefined))
  await expect(refused).rejects.toMatchObject({ code: 'model-conflict' })
  expect(await deciding()).toEqual([])
  await promote('a', false)
  const back = promote(shipped().fusion, false, () => node.models.promote('fusion', 'b', 'bob'))
  await expect(back).rejects.toMatchObject({ code: 'model-conflict' })
  expect(await deciding()).toEqual(['b'])
})
