// What every store must keep of models and labels: bytes by their hash, one version that decides, verdicts with what was known.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brandSchema } from '../../src/domain/brand.ts'
import type { ActiveModel, ModelCard, ModelName } from '../../src/domain/model.ts'
import type { JudgedRevision } from '../../src/learning/ports.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { commitAll, listings } from './store-samples.ts'
import type { SharedStore, StoreNode } from './store.ts'
import { twoNodes } from './two-nodes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function model(version: string, text = version, name: ModelName = 'fusion') {
  const card: ModelCard = {
    name,
    version,
    description: 'of a test',
    sha256: createHash('sha256').update(text).digest('hex'),
    trained: { seed: 7, marketplaces: ['demo'], rows: 2, confirmed: 1, until: null, invented: true },
    measured: { heldOut: { rows: 0 } },
  }
  return { card, body: bytes(text), by: 'ann' }
}

export function modelStoreContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: models`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    test('bytes that are not what the card says are refused, and nothing is kept', async () => {
      const wrong = { ...model('1'), body: bytes('other') }
      await expect(one.models.put(wrong)).rejects.toMatchObject({ code: 'model-invalid' })
      expect(await one.models.list()).toEqual([])
      await expect(one.models.body('fusion', '1')).rejects.toMatchObject({ code: 'not-found' })
    })

    test('a version is kept once; with other bytes it is refused, and the first ones stay', async () => {
      expect(await one.models.put(model('1', 'a'))).toMatchObject({ present: false, record: { version: '1' } })
      expect(await two.models.put(model('1', 'a'))).toMatchObject({ present: true, record: { madeBy: 'ann' } })
      await expect(two.models.put(model('1', 'b'))).rejects.toMatchObject({ code: 'model-invalid' })
      expect(Buffer.from(await two.models.body('fusion', '1')).toString()).toBe('a')
      expect((await two.models.find('fusion', '1'))?.card).toEqual(model('1', 'a').card)
      expect(await two.models.find('text', '1')).toBeUndefined()
    })

    test('what does not exist is never promoted, and there is nothing to go back to', async () => {
      await one.models.put(model('1', 'a', 'text'))
      await expect(one.models.promote('fusion', '1', 'ann')).rejects.toMatchObject({ code: 'not-found' })
      await expect(one.models.rollback('text', 'ann')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      expect(await one.models.active()).toEqual([])
      expect((await one.reference.load()).models).toEqual([])
    })

    test('promoting and rolling back go step by step, to what ships at last, each name for itself', async () => {
      for (const version of ['1', '2', '3']) await one.models.put(model(version))
      await one.models.put(model('9', '9', 'text'))
      await one.models.promote('text', '9', 'ann')
      for (const version of ['1', '2']) await one.models.promote('fusion', version, 'ann')
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: '1', before: '2' })
      expect(await two.models.promote('fusion', '3', 'bob')).toMatchObject({ version: '3', before: '1' })
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: '1', before: '3' })
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: null, before: '1' })
      await expect(two.models.rollback('fusion', 'bob')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      expect((await one.models.active()).map((m) => [m.name, m.version])).toEqual([['text', '9']])
      expect(await one.models.promote('fusion', '2', 'ann')).toMatchObject({ version: '2', before: null })
      expect((await one.reference.load()).models.map((m) => [m.name, m.version])).toEqual([
        ['fusion', '2'],
        ['text', '9'],
      ])
    })

    test('a step back that is refused changes nothing; what ships is promoted by its absence, and can be gone back from', async () => {
      for (const version of ['1', '2']) await one.models.put(model(version))
      for (const version of ['1', '2']) await one.models.promote('fusion', version, 'ann')
      const before = await one.reference.change()
      const asked: (string | null)[] = []
      const refuse = (version: string | null, active: readonly ActiveModel[]) => {
        asked.push(version, ...active.map((m) => m.version))
        throw new Error('not that one')
      }
      await expect(one.models.rollback('fusion', 'bob', refuse)).rejects.toThrow('not that one')
      expect(asked).toEqual(['1', '2'])
      expect((await two.models.active()).map((m) => m.version)).toEqual(['2'])
      expect(await one.reference.change()).toBe(before)
      expect(await one.models.promote('fusion', null, 'ann')).toMatchObject({ version: null, before: '2' })
      expect(await one.models.promote('fusion', null, 'ann')).toMatchObject({ version: null, before: null })
      expect(await two.models.active()).toEqual([])
      // It took the place of another one, which a step back brings back.
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: '2', before: null })
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: '1', before: '2' })
      expect(await two.models.rollback('fusion', 'bob')).toMatchObject({ version: null, before: '1' })
      await expect(two.models.rollback('fusion', 'bob')).rejects.toMatchObject({
        code: 'nothing-to-roll-back',
        message: expect.stringContaining('was rolled back') as string,
      })
    })

    test('both models are promoted, and go back, by one change: who follows never has one of them alone', async () => {
      for (const version of ['1', '2']) {
        await one.models.put(model(version))
        await one.models.put(model(`t${version}`, version, 'text'))
      }
      const before = await one.reference.change()
      const both = (version: string) => ({ fusion: version, text: `t${version}` })
      const decide = async () => (await two.reference.load()).models.map((m) => m.version)
      expect(await one.models.promoteBoth(both('1'), 'ann')).toEqual({
        fusion: { name: 'fusion', version: '1', before: null, change: before + 1n },
        text: { name: 'text', version: 't1', before: null, change: before + 1n },
      })
      expect(await decide()).toEqual(['1', 't1'])
      expect(await one.models.promoteBoth(both('1'), 'ann')).toMatchObject({
        fusion: { before: '1', change: before + 1n },
        text: { before: 't1', change: before + 1n },
      })
      await expect(one.models.promoteBoth({ fusion: '2', text: 'none' }, 'ann')).rejects.toMatchObject({
        code: 'not-found',
      })
      expect(await decide()).toEqual(['1', 't1'])
      await one.models.promoteBoth(both('2'), 'ann')
      const asked: string[][] = []
      const refuse = (...sides: (readonly ActiveModel[])[]) => {
        asked.push(...sides.map((side) => side.map((m) => m.version)))
        throw new Error('not those')
      }
      await expect(two.models.rollbackBoth('bob', refuse)).rejects.toThrow('not those')
      expect(asked).toEqual([
        ['1', 't1'],
        ['2', 't2'],
      ])
      expect(await decide()).toEqual(['2', 't2'])
      expect(await two.models.rollbackBoth('bob')).toMatchObject({
        fusion: { version: '1', before: '2', change: before + 3n },
        text: { version: 't1', before: 't2', change: before + 3n },
      })
      await two.models.rollback('text', 'bob')
      // One of them has nothing to go back to: then neither goes.
      await expect(two.models.rollbackBoth('bob')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      expect(await decide()).toEqual(['1'])
      const { kinds } = await one.reference.load()
      await two.models.promote('text', 't2', 'bob')
      await expect(one.models.promoteBoth(both('2'), 'ann', kinds)).rejects.toMatchObject({ code: 'model-conflict' })
      expect(await decide()).toEqual(['1', 't2'])
    })

    test('every real activation gives the next change number, and is heard by another process', async () => {
      await one.models.put(model('1'))
      const before = await one.reference.change()
      const heard = Promise.withResolvers<void>()
      const stop = await two.reference.onChange(() => heard.resolve())
      expect((await one.models.promote('fusion', '1', 'ann')).change).toBe(before + 1n)
      await heard.promise
      await stop()
      const again = await two.models.promote('fusion', '1', 'bob')
      expect(again).toEqual({ name: 'fusion', version: '1', before: '1', change: before + 1n })
      expect(await one.reference.change()).toBe(before + 1n)
    })

    test('what was held against one policy and one champion is not promoted beside others', async () => {
      for (const version of ['1', '2', '3']) await one.models.put(model(version))
      await one.models.put(model('9', '9', 'text'))
      for (const policy of [1, 2])
        await one.reference.publishPolicy({ ...defaultPolicy(), version: policy }, 'ann', undefined)
      await one.models.promote('fusion', '1', 'ann', (await one.reference.load()).kinds)
      const meanwhile: [string, () => Promise<unknown>][] = [
        ['a version of a model was promoted', () => two.models.promote('fusion', '3', 'bob')],
        ['a version of a model was promoted', () => two.models.promote('text', '9', 'bob')],
        ['or rolled back', () => two.models.rollback('fusion', 'bob')],
        ['a policy was published', () => two.reference.publishPolicy(defaultPolicy(), 'bob', undefined)],
        ['a policy was published or rolled back', () => two.reference.rollbackPolicy('bob')],
      ]
      for (const [why, change] of meanwhile) {
        const { kinds } = await one.reference.load()
        await change()
        const stands = await one.reference.load()
        for (const version of ['2', null])
          await expect(one.models.promote('fusion', version, 'ann', kinds)).rejects.toMatchObject({
            code: 'model-conflict',
            message: expect.stringContaining(why) as string,
          })
        expect(await two.reference.load()).toEqual(stands)
      }
      const { kinds } = await one.reference.load()
      // A brand says nothing of what a model does.
      await two.reference.upsertBrands([brandSchema.parse({ brandId: 'nike', name: 'Nike' })], 'bob')
      expect(await one.models.promote('fusion', '2', 'ann', kinds)).toMatchObject({ version: '2', before: '1' })
    })

    test('of many who held theirs against the same, at once, one promotes', async () => {
      const versions = ['1', '2', '3', '4']
      for (const version of versions) await one.models.put(model(version))
      const { kinds } = await one.reference.load()
      const all = await Promise.allSettled(
        versions.map((version, i) => (i % 2 === 0 ? one : two).models.promote('fusion', version, 'ann', kinds)),
      )
      const done = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.version] : []))
      expect(done).toHaveLength(1)
      expect((await two.models.active()).map((m) => m.version)).toEqual(done)
      for (const one of all) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'model-conflict' })
    })

    test('of many who promote at once each takes its turn, and the last one decides', async () => {
      const versions = ['1', '2', '3', '4']
      for (const version of versions) await one.models.put(model(version))
      const steps = await Promise.all(
        versions.map((version, i) => (i % 2 === 0 ? one : two).models.promote('fusion', version, 'ann')),
      )
      const last = steps.toSorted((a, b) => Number(b.change - a.change))[0]
      expect(new Set(steps.map((step) => step.change)).size).toBe(4)
      expect((await two.models.active()).map((m) => m.version)).toEqual([last?.version])
    })
  })

  describe(`${name}: labels`, () => {
    let shared: SharedStore
    let one: StoreNode
    beforeEach(async () => {
      shared = await start()
      one = await shared.node()
    })
    afterEach(() => shared.close())

    test('a revision without a verdict is no label; one with some comes with all of them and every decision', async () => {
      await commitAll(one.store, listings('L', 3), { marketplace: 'demo' })
      const decision = (await one.reader.history('L-1'))?.decisions[0]
      if (decision === undefined) throw new Error('nothing was decided')
      const verdict = (verdictId: string, title: string) => ({
        verdictId,
        listingId: 'L-1',
        revision: 1,
        decisionId: decision.decisionId,
        verdict: 'confirmed' as const,
        note: title,
        by: { subject: 'ann', role: 'analyst' },
        at: '2026-01-01T00:00:00Z',
        source: 'review' as const,
      })
      // An escaped U+0000 must never make reading fail: the server's own JSON functions do.
      const said = [verdict('b', 'plain'), verdict('a', 'with \u0000 in it')]
      const span = { group: 'g', topic: 'v', partition: 0, from: 0n, next: 1n }
      await one.store.place('g', 'v', 0, 0n)
      const nothing = { standings: [], revisions: [], decisions: [], cases: [], refusals: [], outbox: [] }
      expect(await one.verdicts.commit(span, said, () => ({ ...nothing, verdicts: said }))).toBe('committed')
      const judged: JudgedRevision[] = []
      for await (const row of one.labels.judged()) judged.push(row)
      expect(judged).toHaveLength(1)
      expect(judged[0]).toMatchObject({ marketplace: 'demo', sellerId: 'S-1', listing: { title: 'Title of L-1' } })
      expect(judged[0]?.verdicts.map((v) => v.verdictId)).toEqual(['a', 'b'])
      // By the store's clock: whoever says something may date it as they like.
      for (const { recordedAt } of judged[0]?.verdicts ?? []) {
        expect(new Date(recordedAt).toISOString()).toBe(recordedAt)
        expect(Date.parse(recordedAt)).toBeGreaterThan(Date.parse('2026-01-02T00:00:00Z'))
      }
      expect(judged[0]?.decisions.map((d) => d.decisionId)).toEqual([decision.decisionId])
    })
  })
}
