// Fusion and text model on their way to decide, alone and at once. Real: what speaks against them, the promotion with the
// scorecard that ships; made up: cards, and a registry in memory.
import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { ModelCard, ModelName } from '../../../src/domain/model.ts'
import type { AskedVersions, ModelRecord, ModelStore } from '../../../src/learning/ports.ts'
import { promoteModels, rollbackModels, wouldRefuse } from '../../../src/pipeline/learning/promote.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { ReferenceData } from '../../../src/rights/ports.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'

let parts: GateParts
beforeAll(async () => {
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
})

interface Kept {
  readonly card: ModelCard
  readonly body: Uint8Array
}
/** Newest first. */
let kept: Kept[]
/** What decides, the latest last; it began with what ships. */
let history: Partial<Record<ModelName, string>>[]
let steps: string[]
beforeEach(() => {
  kept = []
  history = [{}]
  steps = []
})
const WORSE = { comparison: { standing: 'worse' } }
const EVEN = { comparison: { standing: 'even' } }
const keep = (name: ModelName, version: string, measured: object = EVEN, expects?: string) => {
  const body = Buffer.from(JSON.stringify({ ...parts.scorecard, version }))
  const card = {
    name,
    version,
    description: '',
    sha256: createHash('sha256').update(body).digest('hex'),
    trained: { seed: 1, rows: 0, confirmed: 0, until: null, marketplaces: [], invented: false },
    measured,
    ...(expects === undefined ? {} : { expects: { text: expects } }),
  } as unknown as ModelCard
  kept.unshift({ card, body })
}
const recordOf = ({ card }: Kept) => ({ name: card.name, version: card.version, card }) as unknown as ModelRecord
const active = () => {
  const now = history.at(-1) ?? {}
  return kept.map(recordOf).filter(({ name, version }) => now[name] === version)
}
const activation = (name: ModelName, version: string | null) => ({ name, version, before: null, change: 2n })
const moved = (next: Partial<Record<ModelName, string | null>>, what: string) => {
  const now = { ...history.at(-1) }
  for (const [name, version] of Object.entries(next) as [ModelName, string | null][])
    if (version === null) delete now[name]
    else now[name] = version
  history.push(now)
  steps.push(what)
}
const promotion = () => {
  const store: Omit<ModelStore, 'put' | 'rollback'> = {
    list: async (name) => kept.map(recordOf).filter((one) => name === undefined || one.name === name),
    find: async (name, version) => kept.map(recordOf).find((one) => one.name === name && one.version === version),
    active: async () => active(),
    body: async (_, version) => kept.find(({ card }) => card.version === version)?.body ?? new Uint8Array(),
    promote: async (name, version) => {
      moved({ [name]: version }, `${name} alone`)
      return activation(name, version)
    },
    promoteBoth: async (versions) => {
      moved(versions, 'both')
      return { fusion: activation('fusion', versions.fusion), text: activation('text', versions.text) }
    },
    rollbackBoth: async (_, check) => {
      const now = active()
      const last = history.pop()
      try {
        check?.(active(), now)
      } catch (error) {
        history.push(last ?? {})
        throw error
      }
      return { fusion: activation('fusion', null), text: activation('text', null) }
    },
  }
  return {
    store: store as ModelStore,
    reference: { load: async () => ({ policy: defaultPolicy() }) as unknown as ReferenceData },
    signals: parts.signals,
    shipped: { fusion: '2', text: '1' },
  }
}
const promote = (asked: AskedVersions, force = false) => promoteModels(promotion(), asked, { by: 'ann', force })

describe('a text model whose fusion is refused', () => {
  test('is refused too, in words that say so: it would stand beside a fusion that never heard it', async () => {
    keep('text', 't1')
    keep('fusion', 'f1', WORSE, 't1')
    await expect(promote({ text: 't1' })).rejects.toMatchObject({
      code: 'model-loses',
      message: expect.stringMatching(
        /^text t1: fusion f1, which was fitted to it, would be refused beside it: fusion f1: .* worse than version/,
      ) as string,
    })
    expect(steps).toEqual([])
    const { overruled, warnings } = await promote({ text: 't1' }, true)
    expect([overruled.length, warnings]).toEqual([1, []])
  })

  test('may be promoted where another fusion was fitted to it, which is then the next step, and where that decides', async () => {
    keep('text', 't1')
    keep('fusion', 'f1', EVEN, 't1')
    keep('fusion', 'f2', WORSE, 't1')
    const { warnings } = await promote({ text: 't1' })
    expect(warnings).toEqual([expect.stringMatching(/Next: promote fusion@f1, or roll back text$/)])
    expect(await promote({ fusion: 'f1' })).toMatchObject({ overruled: [], warnings: [] })
    await promote({ fusion: 'f2' }, true)
    moved({ text: null }, 'by hand')
    expect(await wouldRefuse(promotion(), { text: 't1' })).toEqual([])
  })

  test('is followed by nothing that is refused: where its fusion is, by now, the next step is another one', async () => {
    keep('text', 't1')
    await promote({ text: 't1' })
    keep('fusion', 'f1', WORSE, 't1')
    keep('text', 't0')
    moved({ fusion: 'f1' }, 'by hand')
    keep('fusion', 'f0')
    const { warnings } = await promote({ fusion: '2' })
    expect(warnings).toEqual([
      expect.stringMatching(
        /Next: train once more \(fusion@f1, which was fitted to it, is refused\), or roll back text$/,
      ),
    ])
  })
})

describe('both at once', () => {
  test('are one change, without a state in between, and are held against each other and both cards', async () => {
    keep('text', 't1')
    keep('fusion', 'f1', EVEN, 't1')
    keep('text', 't2', WORSE)
    keep('fusion', 'f2', WORSE, 't2')
    expect(await promote({ fusion: 'f1', text: 't1' })).toMatchObject({
      name: 'fusion',
      version: 'f1',
      text: { name: 'text', version: 't1' },
      overruled: [],
      warnings: [],
    })
    expect(steps).toEqual(['both'])
    await expect(promote({ fusion: 'f1', text: 't2' })).rejects.toMatchObject({ code: 'model-loses' })
    await expect(promote({ fusion: 'f1', text: '1' })).rejects.toMatchObject({
      code: 'model-mismatch',
      message: 'fusion f1: it was fitted to the text model t1, and 1 would be active',
    })
    await expect(promote({ fusion: '2', text: 't1' })).rejects.toMatchObject({ code: 'model-mismatch' })
    expect(await wouldRefuse(promotion(), { fusion: 'f2', text: 't2' })).toEqual([
      expect.stringMatching(/^text t2: /),
      expect.stringMatching(/^fusion f2: /),
    ])
    expect(await promote({ fusion: '2', text: '1' })).toMatchObject({ version: null, text: { version: null } })
    expect(steps).toEqual(['both', 'both'])
  })

  test('are what a fusion alone is refused for, where they would be taken', async () => {
    keep('text', 't1')
    keep('fusion', 'f1', EVEN, 't1')
    const alone = promote({ fusion: 'f1' })
    await expect(alone).rejects.toMatchObject({
      code: 'model-mismatch',
      message:
        'fusion f1: it was fitted to the text model t1, and 1 would be active: promote both at once, as text@t1 fusion@f1',
    })
    keep('text', 't3', WORSE)
    keep('fusion', 'f3', EVEN, 't3')
    await expect(promote({ fusion: 'f3' })).rejects.toThrow(/and 1 would be active$/)
  })

  test('go back at once, but not to two that were never together', async () => {
    keep('text', 't1')
    keep('fusion', 'f1', EVEN, 't1')
    keep('fusion', 'f2', EVEN, 't1')
    await promote({ fusion: 'f1', text: 't1' })
    expect(await rollbackModels(promotion(), 'all', { by: 'ann', force: false })).toMatchObject({
      overruled: [],
      warnings: [],
    })
    // Each a step of its own: back goes the text model that f1 needs.
    history = [{ fusion: 'f1' }, { fusion: 'f2', text: 't1' }]
    await expect(rollbackModels(promotion(), 'all', { by: 'ann', force: false })).rejects.toMatchObject({
      code: 'model-mismatch',
      message: expect.stringContaining('fusion f1, which would decide, was fitted to the text model t1') as string,
    })
    expect(active().map(({ version }) => version)).toEqual(['f2', 't1'])
    expect(await rollbackModels(promotion(), 'all', { by: 'ann', force: true })).toMatchObject({
      overruled: [expect.stringContaining('would decide') as string],
    })
  })
})
