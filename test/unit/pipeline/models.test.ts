// Promoted models in memory. Real: the loading, the scorecard that ships, its checks; made up: the registry and the text model.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { ActiveModel, ModelName } from '../../../src/domain/model.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import { createModelLoading, readFusion } from '../../../src/pipeline/models.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'
import type { TextModel } from '../../../src/signals/text-model/ports.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

let parts: GateParts
beforeAll(async () => {
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
})

const active = (name: ModelName, version: string, body: string): ActiveModel => {
  const sha256 = createHash('sha256').update(body).digest('hex')
  const trained = { seed: 1, marketplaces: [], rows: 0, confirmed: 0, until: null, invented: true }
  return { name, version, sha256, card: { name, version, sha256, description: '', trained, measured: {} } }
}
const scorecard = (version: string) => JSON.stringify({ ...parts.scorecard, version })

function world(bodies: Record<string, string | Error>) {
  const telemetry = createTelemetry({ level: 'silent' })
  const asked: string[] = []
  const loading = createModelLoading(
    parts,
    {
      store: {
        async body(name, version) {
          asked.push(`${name}@${version}`)
          const found = bodies[`${name}@${version}`]
          if (found === undefined) throw new TouchstoneError('not-found', 'there is no such version')
          if (found instanceof Error) throw found
          return Buffer.from(found)
        },
      },
      text: {
        async load({ card, body }): Promise<TextModel> {
          if (Buffer.from(body).toString() === 'broken') throw new Error('not a graph')
          return { version: card.version, card, score: () => Promise.reject(new Error('is not asked here')) }
        },
      },
    },
    telemetry,
  )
  const stuck = async (model: string) =>
    (await telemetry.metrics.touchstone_model_stuck.get()).values.find((v) => v.labels['model'] === model)?.value
  const told = async () =>
    (await telemetry.metrics.touchstone_model_info.get()).values.map((v) => Object.values(v.labels).join('@'))
  return { loading, asked, stuck, told, bodies }
}

describe('a promoted model that cannot decide', () => {
  test.each([
    ['is no JSON', 'nonsense', /JSON/],
    ['is another version than its card says', '{"version":"2"}', /prior/],
    ['does not know an enforced signal', undefined, /wording.*no knots/],
  ])('is refused where it %s', (_name, text, message) => {
    const without = JSON.stringify({ ...parts.scorecard, version: '9', signals: {} })
    expect(() => readFusion(active('fusion', '9', '').card, Buffer.from(text ?? without), parts.signals)).toThrow(
      expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(message) as string }),
    )
    expect(() => readFusion(active('fusion', '9', '').card, Buffer.from(scorecard('8')), parts.signals)).toThrow(
      /calls itself version 8/,
    )
  })

  test('leaves the one that decided before, is told, and leaves the other model alone', async () => {
    const w = world({ 'fusion@2': scorecard('2'), 'fusion@3': 'broken', 'text@5': 'x', 'text@6': 'broken' })
    await w.loading.load([active('fusion', '2', scorecard('2'))])
    const after = await w.loading.load([active('fusion', '3', 'broken'), active('text', '5', 'x')])
    expect([after.scorecard.version, after.textModel?.version]).toEqual(['2', '5'])
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([1, 0])
    expect(await w.told()).toEqual(['fusion@2', 'text@5'])
    const last = await w.loading.load([active('fusion', '2', scorecard('2')), active('text', '6', 'broken')])
    expect([last.scorecard.version, last.textModel?.version]).toEqual(['2', '5'])
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([0, 1])
  })

  test('where none decided before, what ships decides', async () => {
    const w = world({ 'fusion@3': new TouchstoneError('model-invalid', 'the bytes are damaged') })
    expect((await w.loading.load([active('fusion', '3', '')])).scorecard).toBe(parts.scorecard)
    expect(await w.stuck('fusion')).toBe(1)
    expect(w.loading.due()).toBe(false)
  })

  test('a store that does not answer is no fault of the model: the change is tried again', async () => {
    const w = world({ 'fusion@3': new Error('connection terminated') })
    await expect(w.loading.load([active('fusion', '3', '')])).rejects.toThrow('connection terminated')
    expect(w.loading.due()).toBe(true)
    w.bodies['fusion@3'] = scorecard('3')
    expect((await w.loading.load([active('fusion', '3', '')])).scorecard.version).toBe('3')
    expect(w.loading.due()).toBe(false)
  })
})

test('a version is got once, however often something else changes; without one what ships decides again', async () => {
  const w = world({ 'fusion@2': scorecard('2') })
  for (let i = 0; i < 3; i++) await w.loading.load([active('fusion', '2', scorecard('2'))])
  expect(w.asked).toEqual(['fusion@2'])
  expect((await w.loading.load([])).scorecard).toBe(parts.scorecard)
  expect(await w.told()).toContain(`fusion@${parts.scorecard.version}`)
})

describe('a fusion and the text model that it was fitted to', () => {
  const fitted = (version: string, text: string): ActiveModel => {
    const model = active('fusion', version, scorecard(version))
    return { ...model, card: { ...model.card, expects: { text } } }
  }

  test('come together: where one of them cannot be loaded both that decided before still do, and both are told', async () => {
    const bodies = { 'fusion@2': scorecard('2'), 'text@5': 'x', 'fusion@3': scorecard('3'), 'text@6': 'broken' }
    const w = world(bodies)
    await w.loading.load([fitted('2', '5'), active('text', '5', 'x')])
    // Promoted one after the other, as it is done: the first fails, the second would load alone.
    await w.loading.load([fitted('2', '5'), active('text', '6', 'broken')])
    const apart = await w.loading.load([fitted('3', '6'), active('text', '6', 'broken')])
    expect([apart.scorecard.version, apart.textModel?.version]).toEqual(['2', '5'])
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([1, 1])
    expect(await w.told()).toEqual(['fusion@2', 'text@5'])
    // What failed may have been the machine: once it loads, both decide.
    w.bodies['text@6'] = 'whole'
    const together = await w.loading.load([fitted('3', '6'), active('text', '6', 'broken')])
    expect([together.scorecard.version, together.textModel?.version]).toEqual(['3', '6'])
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([0, 0])
  })

  test('of which one is damaged leave what ships to a worker that starts', async () => {
    const w = world({ 'fusion@3': 'broken', 'text@6': 'x' })
    const { scorecard: now, textModel } = await w.loading.load([fitted('3', '6'), active('text', '6', 'x')])
    expect([now, textModel]).toEqual([parts.scorecard, undefined])
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([1, 1])
  })

  test('that somebody forced beside another one come each alone', async () => {
    const w = world({ 'fusion@3': scorecard('3'), 'text@6': 'broken' })
    const now = await w.loading.load([fitted('3', '7'), active('text', '6', 'broken')])
    expect(now.scorecard.version).toBe('3')
    expect([await w.stuck('fusion'), await w.stuck('text')]).toEqual([0, 1])
  })
})
