// A promoted model whose bytes were damaged in the database. Real: PostgreSQL, the registry, the reference data as a worker follows it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gateParts } from '../../src/apps/gate-parts.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import { followReference, type GateParts, type LiveGate } from '../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { keepFusion } from '../support/kept-fusion.ts'
import { until } from '../support/until.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let parts: GateParts
let live: LiveGate | undefined
beforeEach(async () => {
  node = await freshNode()
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  await node.reference.publishPolicy(defaultPolicy(), 'ann', undefined)
})
afterEach(async () => {
  await live?.stop()
  live = undefined
})

test('is never handed out, and decides nowhere: the version before decides, and brands go on changing', async () => {
  for (const version of ['a', 'b']) await keepFusion(node.models, parts.scorecard, version)
  await node.database.reading.query(
    `update model set body = set_byte(body, 20, get_byte(body, 20) # 1) where version = 'b'`,
  )
  await expect(node.models.body('fusion', 'b')).rejects.toMatchObject({ code: 'model-invalid' })

  const telemetry = createTelemetry({ level: 'silent' })
  live = await followReference(node.reference, parts, telemetry, { store: node.models })
  const gate = live.current
  await node.models.promote('fusion', 'a', 'ann')
  await until('a decides', () => gate().scorecard.version === 'a')
  const { change } = await node.models.promote('fusion', 'b', 'ann')
  await until('the change was seen', () => gate().change === change)
  expect(gate().scorecard.version).toBe('a')
  expect((await telemetry.metrics.touchstone_model_stuck.get()).values).toContainEqual(
    expect.objectContaining({ labels: { model: 'fusion' }, value: 1 }),
  )
  await node.reference.upsertBrands([brandSchema.parse({ brandId: 'nova', name: 'Nova' })], 'ann')
  await until('the brand is known', () => gate().brands.has('nova'))
  await node.models.rollback('fusion', 'ann')
  await until('it is over', () => gate().change > change + 1n)
  expect(gate().scorecard.version).toBe('a')
  expect((await telemetry.metrics.touchstone_model_stuck.get()).values.every((one) => one.value === 0)).toBe(true)
})

test('is mended by the same version made again; bytes that are right are never written again', async () => {
  const row = async () => {
    const { rows } = await node.database.reading.query<{ body: Buffer; at: string }>(
      `select body, ctid::text || ' ' || xmin::text as at from model`,
    )
    return rows[0]
  }
  await keepFusion(node.models, parts.scorecard, 'a')
  const first = await row()
  expect(await keepFusion(node.models, parts.scorecard, 'a')).toMatchObject({ present: true, mended: false })
  expect(await row()).toEqual(first)
  await node.database.reading.query(`update model set body = set_byte(body, 20, get_byte(body, 20) # 1)`)
  expect(await keepFusion(node.models, parts.scorecard, 'a')).toMatchObject({ present: true, mended: true })
  expect((await row())?.body).toEqual(first?.body)
  expect(Buffer.from(await node.models.body('fusion', 'a'))).toEqual(first?.body)
})
