// A worker that follows the reference data. Real: PostgreSQL, banks, registry, compiling; what is loaded is counted at the store's edge.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gateParts } from '../../src/apps/gate-parts.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import type { Gate } from '../../src/pipeline/assess.ts'
import { followReference, type GateParts, type LiveGate } from '../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { keepFusion } from '../support/kept-fusion.ts'
import { until } from '../support/until.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let parts: GateParts
let live: LiveGate | undefined
/** What each question after the first brought. */
let brought: string[][]
let lines: string[]
beforeEach(async () => {
  node = await freshNode()
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  brought = []
  lines = []
  await node.reference.publishPolicy(defaultPolicy(), 'ann', undefined)
  await brands('nova')
})
afterEach(async () => {
  await live?.stop()
  live = undefined
})

const brands = (...ids: string[]) =>
  node.reference.upsertBrands(
    ids.map((brandId) => brandSchema.parse({ brandId, name: brandId })),
    'ann',
  )

async function follow(): Promise<() => Gate> {
  const { reference } = node
  const telemetry = createTelemetry({ level: 'info', destination: { write: (line: string) => void lines.push(line) } })
  live = await followReference(
    {
      ...reference,
      async news(known) {
        const news = await reference.news(known)
        brought.push(Object.keys(news).filter((key) => key !== 'change' && key !== 'kinds'))
        return news
      },
    },
    parts,
    telemetry,
    { store: node.models },
  )
  return live.current
}

async function caughtUp(gate: () => Gate): Promise<Gate> {
  const change = await node.reference.change()
  return until(`the gate is at ${change}`, () => gate().change >= change && gate())
}

test('a picture that joins a bank moves the number on, and nothing is loaded or compiled again', async () => {
  const gate = await follow()
  const before = gate()
  const banks = node.banks
  await banks.upsertBank(bank('b'), 'ann', 'all')
  for (const name of ['x', 'y'])
    await banks.addImages('b', [{ picture: picture(name), source: { kind: 'api' } }], 'ann', 'all')
  const after = await caughtUp(gate)
  expect(after).toEqual({ ...before, change: before.change + 3n })
  expect([after.dictionary === before.dictionary, after.brands === before.brands]).toEqual([true, true])
  expect([after.policy === before.policy, after.scorecard === before.scorecard]).toEqual([true, true])
  expect(brought.flat()).toEqual([])
  expect(lines.join('')).not.toContain('reference data changed')
})

test('of brands, policy and models each is loaded when it changed, and the others stay as they are', async () => {
  const gate = await follow()
  const first = gate()

  await brands('luna')
  const second = await caughtUp(gate)
  expect([...second.brands.keys()]).toEqual(['luna', 'nova'])
  expect([second.dictionary === first.dictionary, second.policy === first.policy]).toEqual([false, true])

  await node.reference.publishPolicy({ ...defaultPolicy(), description: 'another' }, 'ann', undefined)
  const third = await caughtUp(gate)
  expect([third.policy.policy.description, third.dictionary === second.dictionary]).toEqual(['another', true])

  await keepFusion(node.models, parts.scorecard, 'a')
  await node.models.promote('fusion', 'a', 'ann')
  const fourth = await caughtUp(gate)
  expect([fourth.scorecard.version, fourth.policy === third.policy]).toEqual(['a', true])

  await node.reference.rollbackPolicy('ann')
  expect((await caughtUp(gate)).policy.policy.version).toBe(1)
  await node.models.rollback('fusion', 'ann')
  expect((await caughtUp(gate)).scorecard).toBe(parts.scorecard)
  expect(brought).toEqual([['brands'], ['policy'], ['models'], ['policy'], ['models']])
})

test('in a store that is an older copy of itself all is read, however equal its numbers look', async () => {
  const gate = await follow()
  await brands('luna')
  const { change } = await caughtUp(gate)
  // As a restored backup may say it: a lower number of all, and under a number that is known another brand.
  const query = (text: string) => node.database.reading.query(text)
  await query(`update reference_head set change = ${change - 1n};
    update brand set body = jsonb_set(body, '{name}', '"Restored"') where brand_id = 'luna'`)
  for (
    const end = Date.now() + 10_000;
    gate().change === change;
    await new Promise((resolve) => setTimeout(resolve, 10))
  )
    if (Date.now() > end) throw new Error('the gate stays where it was')
  expect(gate().brands.get('luna')?.name).toBe('Restored')
})
