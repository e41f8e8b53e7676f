// What a new version does to honest sellers, and whether it may decide. Real: figures, cards, objections, the promotion with
// the scorecard that ships; made up: risks, and a registry in memory.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { ModelCard } from '../../../src/domain/model.ts'
import type { Scorecard } from '../../../src/domain/scorecard.ts'
import type { ModelRecord, ModelStore } from '../../../src/learning/ports.ts'
import { compareModels } from '../../../src/pipeline/learning/measure.ts'
import { losses } from '../../../src/pipeline/learning/objections.ts'
import { promoteModels } from '../../../src/pipeline/learning/promote.ts'
import type { MeasuredRow } from '../../../src/pipeline/learning/weighted.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { ReferenceData } from '../../../src/rights/ports.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'

const THRESHOLDS = { hold: 0.2, block: 0.9 }
const row = (i: number, positive: boolean, risk: number, sellerId = `S-${positive}-${i}`): MeasuredRow => ({
  positive,
  overt: false,
  sellerId,
  weight: 1,
  risk,
})
/** 16 fakes and `honest` honest rows; the first `stopped` honest ones get `risk`. */
const rows = (
  fakes: number,
  stopped: number,
  { honest = 16, risk = 0.25, seller }: { honest?: number; risk?: number; seller?: string } = {},
): MeasuredRow[] => [
  ...Array.from({ length: 16 }, (_, i) => row(i, true, fakes)),
  ...Array.from({ length: honest }, (_, i) => row(i, false, i < stopped ? risk : 0.03, seller)),
]
const compare = (candidate: MeasuredRow[], champion: MeasuredRow[]) => compareModels(candidate, champion, THRESHOLDS)

describe('a version with a much lower squared error', () => {
  test('is worse where it stops more of the honest, and says both rates with their counts', () => {
    const comparison = compare(rows(0.85, 9), rows(0.1, 0))
    expect(comparison.high).toBeLessThan(0)
    expect(comparison).toMatchObject({
      standing: 'worse',
      honest: {
        hold: { rows: 16, candidate: { count: 9, share: 0.5625 }, champion: { count: 0, share: 0 }, more: true },
      },
    })
    expect(losses({ measured: { champion: { version: '2' }, comparison } })).toEqual([
      'it stops 56.3 % (9 of 16) of the honest listings that neither had seen, and version 2, which decided then, 0.0 % (0 of 16)',
    ])
  })

  test('is worse where it blocks those that the other one only held', () => {
    const comparison = compare(rows(0.97, 5, { risk: 0.92 }), rows(0.1, 5, { risk: 0.3 }))
    expect(comparison.honest.hold.more).toBe(false)
    expect(comparison).toMatchObject({ standing: 'worse', honest: { block: { more: true, candidate: { count: 5 } } } })
    expect(losses({ measured: { comparison } })).toEqual([expect.stringMatching(/^it blocks 31\.3 % \(5 of 16\)/)])
  })

  test('is better where it stops as many, or fewer', () => {
    expect(compare(rows(0.85, 3), rows(0.1, 3)).standing).toBe('better')
    expect(compare(rows(0.85, 0), rows(0.1, 3)).standing).toBe('better')
  })

  test('is not judged by one seller, nor by one listing: few rows show no more', () => {
    expect(compare(rows(0.85, 1, { honest: 5 }), rows(0.1, 0, { honest: 5 })).standing).toBe('better')
    expect(compare(rows(0.85, 9, { seller: 'one' }), rows(0.1, 0, { seller: 'one' })).honest.hold.more).toBe(false)
  })

  test('is judged by one in a hundred where there are enough of them', () => {
    const many = { honest: 600 }
    const more = compare(rows(0.85, 6, many), rows(0.1, 0, many)).honest.hold
    expect(more).toMatchObject({ more: true, rise: { value: 0.01 } })
    expect(more.rise.low).toBeGreaterThan(0)
    expect(compare(rows(0.85, 1, many), rows(0.1, 0, many)).honest.hold.more).toBe(false)
  })

  test('is judged by what was drawn for as many as it stands for', () => {
    const weighted = (some: MeasuredRow[]) => some.map((one, i) => (i >= 29 ? { ...one, weight: 100 } : one))
    // Two of thirteen that were held anyway: 2 of 313.
    const few = compare(weighted(rows(0.85, 2)), weighted(rows(0.1, 0)))
    expect(few.honest.hold).toMatchObject({ candidate: { count: 2, share: 0.00639 }, more: false })
    const heavy = (some: MeasuredRow[]) => some.map((one, i) => (i === 16 || i === 17 ? { ...one, weight: 100 } : one))
    const most = compare(heavy(rows(0.85, 2)), heavy(rows(0.1, 0)))
    expect(most.honest.hold).toMatchObject({ candidate: { count: 2, share: 0.934579 }, more: true })
  })
})

describe('promotion', () => {
  const reference = { load: async () => ({ policy: defaultPolicy() }) as unknown as ReferenceData }
  let parts: GateParts
  beforeAll(async () => {
    parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  })
  const promote = (
    measured: object,
    { force = false, prior }: { force?: boolean; prior?: Scorecard['prior'] } = {},
  ) => {
    const scorecard = { ...parts.scorecard, version: 'v1', ...(prior === undefined ? {} : { prior }) }
    const body = Buffer.from(JSON.stringify(scorecard))
    const sha256 = createHash('sha256').update(body).digest('hex')
    const card = { name: 'fusion', version: 'v1', sha256, trained: { rows: 0, marketplaces: [] }, measured }
    const record = { name: 'fusion', version: 'v1', card: card as unknown as ModelCard } as unknown as ModelRecord
    const store: Pick<ModelStore, 'find' | 'body' | 'active' | 'list' | 'promote'> = {
      find: async () => record,
      body: async () => body,
      active: async () => [],
      list: async () => [record],
      promote: async (name, version) => ({ name, version, before: null, change: 2n }),
    }
    const shipped = { fusion: '2', text: '1' }
    return promoteModels(
      { store: store as ModelStore, reference, signals: parts.signals, shipped },
      { fusion: 'v1' },
      {
        by: 'ann',
        force,
      },
    )
  }
  const measured = (candidate: MeasuredRow[]) => ({
    champion: { version: '2' },
    comparison: compare(candidate, rows(0.1, 0)),
  })

  test('of a version that stops more of the honest is refused, and by force says what was overruled', async () => {
    await expect(promote(measured(rows(0.85, 9)))).rejects.toMatchObject({
      code: 'model-loses',
      message: expect.stringMatching(/^fusion v1: it stops 56\.3 % \(9 of 16\) .* 0\.0 % \(0 of 16\)$/) as string,
    })
    expect((await promote(measured(rows(0.85, 9)), { force: true })).overruled).toHaveLength(1)
    expect(await promote(measured(rows(0.85, 0)))).toMatchObject({ version: 'v1', overruled: [], warnings: [] })
  })

  test('is refused by the shares alone where the card was made before the honest were compared', async () => {
    const share = (value: number) => ({ value, low: 0, high: 1, rows: 16 })
    const old = (stopped: number) => ({
      candidate: { falsePositives: { hold: share(stopped), block: share(0) } },
      champion: { version: '2', falsePositives: { hold: share(0), block: share(0) } },
      comparison: { difference: -0.2, low: -0.3, high: -0.1, standing: 'better' },
    })
    await expect(promote(old(0.5625))).rejects.toThrow(/it stops 56\.3 % of the 16 honest listings .* 0\.0 %/)
    expect(await promote(old(0.0625))).toMatchObject({ overruled: [] })
  })

  test('of a version whose card compares it with one that decides no more says so', async () => {
    const old = { ...measured(rows(0.85, 0)), champion: { version: '1' } }
    expect((await promote(old)).warnings).toEqual([
      'its card compares fusion v1 with version 1, and 2 decides now: `touchstone evaluate --model fusion@v1` compares them anew',
    ])
  })

  test('of a text model says where it is silent and the one that decides is not', async () => {
    const text = (version: string, marketplaces: string[], unmeasured: string[] = []) =>
      ({
        name: 'text',
        version,
        active: version === 't1',
        card: {
          name: 'text',
          version,
          trained: { marketplaces },
          measured: { champion: { version: 't1' }, unmeasured },
        },
      }) as unknown as ModelRecord
    const all = [text('t1', ['', 'shop-a', 'shop-b']), text('t2', ['shop-a', 'shop-c'])]
    const store: Pick<ModelStore, 'find' | 'body' | 'active' | 'list' | 'promote'> = {
      find: async (_, version) => all.find((one) => one.version === version),
      body: async () => Buffer.from(''),
      active: async () => all.filter((one) => one.active),
      list: async () => [],
      promote: async (name, version) => ({ name, version, before: 't1', change: 2n }),
    }
    const shipped = { fusion: '2', text: null }
    const promoted = (version: string) =>
      promoteModels(
        { store: store as ModelStore, reference, signals: parts.signals, shipped },
        { text: version },
        {
          by: 'ann',
          force: false,
        },
      )
    expect((await promoted('t2')).warnings).toEqual([
      'text t2 says nothing of listings of no marketplace, listings of shop-b, which t1 did: too few of their verdicts were learnt from',
    ])
    expect((await promoted('t1')).warnings).toEqual([])
  })

  test('of a version with a base of its own by which a marketplace is held whatever is listed is refused', async () => {
    const own = { marketplace: 'shop-b', probability: 0.2, source: '140 listings drawn there (70 confirmed)' }
    const prior = { ...parts.scorecard.prior, marketplaces: [own] }
    await expect(promote(measured(rows(0.85, 0)), { prior })).rejects.toMatchObject({
      code: 'model-loses',
      message: expect.stringContaining(
        'listings of shop-b begin at a risk of 0.2 before any evidence (elsewhere 0.025), and are held from 0.2 on without any',
      ) as string,
    })
    expect((await promote(measured(rows(0.85, 0)), { prior, force: true })).overruled).toHaveLength(1)
  })

  test('of a version with a base rate of its own says for which marketplace, and from what', async () => {
    const own = { marketplace: 'shop-b', probability: 0.19, source: '140 listings drawn there (70 confirmed)' }
    const prior = { ...parts.scorecard.prior, marketplaces: [own, { ...own, marketplace: null, probability: 0.03 }] }
    const { warnings } = await promote({ ...measured(rows(0.85, 0)), thresholds: THRESHOLDS }, { prior })
    expect(warnings).toEqual([
      'listings of shop-b begin at a risk of 0.19 before any evidence (elsewhere 0.025). Learnt from: 140 listings drawn there (70 confirmed)',
    ])
  })
})
