// What every store must keep of whose cases are whose: an edit takes a case away from no brand, and who knows what stopped a listing is asked.
import { beforeEach, describe, expect, test } from 'vitest'
import type { CaseDetails } from '../../src/review/ports.ts'
import { settleVerdicts } from '../../src/pipeline/verdicts/settle.ts'
import { verdictOn } from '../support/verdicts.ts'
import { analyst, holder, reviewWorlds, TOPICS, type ReviewWorld } from './review-world.ts'
import type { SharedStore } from './store.ts'

export function caseBrandsContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: the brands of a case`, () => {
    let world: ReviewWorld
    beforeEach(async () => {
      ;[world] = await reviewWorlds(start)
    })

    const seenBy = async (listingId: string, ...brandIds: string[]): Promise<CaseDetails | undefined> =>
      world.node.cases.find(await world.caseOf(listingId), {
        subject: 'test',
        brandIds: brandIds.length === 0 ? undefined : brandIds,
      })
    const listed = async (brandId: string): Promise<string[]> =>
      (await world.node.cases.list({ sort: 'due', limit: 9 }, { subject: 'test', brandIds: [brandId] })).items.map(
        ({ listingId }) => listingId,
      )
    const current = async (listingId: string) => (await world.node.reader.history(listingId))?.current

    test.each([['rolex'], []])(
      'an edit to %s leaves the case with the brand it was about, and needs its word',
      async (...now) => {
        await world.screen('L', 1, { outcome: 'block', brandIds: ['gucci'] })
        await world.screen('L', 2, { brandIds: now })
        const caseId = await world.caseOf('L')
        expect((await seenBy('L'))?.summary.brandIds).toEqual([...now, 'gucci'])
        const gucci = await seenBy('L', 'gucci')
        expect(gucci).toMatchObject({ summary: { revision: 2, brandIds: ['gucci'] }, listing: { revision: 2 } })
        expect(gucci?.decisions.map((d) => d.brandIds)).toEqual([['gucci'], [...now, 'gucci']])
        expect(await listed('gucci')).toEqual(['L'])
        if (now.length > 0) {
          const other = await world.review.verdict(caseId, holder(...now), { verdict: 'rejected' })
          expect(other).toMatchObject({ kind: 'recorded', decisions: [], stands: { outcome: 'hold', state: 'open' } })
        }
        const last = await world.review.verdict(caseId, holder('gucci'), { verdict: 'rejected' })
        expect(last).toMatchObject({ kind: 'recorded', stands: { outcome: 'allow', state: 'resolved' } })
        // What was cleared is done with: the next edit is about what it names.
        await world.screen('L', 3, { brandIds: ['puma'] })
        expect((await seenBy('L'))?.summary.brandIds).toEqual(['puma'])
      },
    )

    test('edits that go on gain brands; a sample keeps its own, and so does what the clock blocked', async () => {
      for (const [revision, brandId] of ['gucci', 'rolex', 'gucci', 'puma'].entries())
        await world.screen('many', revision + 1, {
          brandIds: [brandId],
          outcome: revision % 2 === 0 ? 'block' : 'allow',
        })
      expect((await seenBy('many'))?.summary.brandIds).toEqual(['puma', 'gucci', 'rolex'])

      await world.screen('late', 1, { brandIds: ['gucci'], outcome: 'block' })
      await world.screen('late', 2, { brandIds: [], holdSeconds: 0 })
      expect(await world.tick()).toBe(true)
      await world.screen('late', 3, { brandIds: ['rolex'] })
      expect((await seenBy('late'))?.summary).toMatchObject({ revision: 3, brandIds: ['rolex', 'gucci'] })
    })

    test('whoever confirmed a listing, or was asked when its seller withdrew it, is asked about its next revision', async () => {
      await world.screen('fake', 1, { brandIds: ['gucci'] })
      const first = await world.caseOf('fake')
      await world.review.verdict(first, holder('gucci'), { verdict: 'confirmed' })
      await world.screen('fake', 2, { outcome: 'allow', brandIds: ['rolex'] })
      expect(await world.caseOf('fake')).not.toBe(first)
      const rejected = await world.review.verdict(await world.caseOf('fake'), holder('rolex'), { verdict: 'rejected' })
      expect(rejected).toMatchObject({ kind: 'recorded', decisions: [] })
      expect(await current('fake')).toMatchObject({ revision: 2, outcome: 'hold' })
      expect((await seenBy('fake', 'gucci'))?.summary).toMatchObject({ revision: 2, state: 'open' })

      await world.screen('gone', 1, { brandIds: ['gucci'] })
      await world.withdraw('gone', 1)
      await world.screen('gone', 2, { outcome: 'allow', brandIds: ['rolex'] })
      expect((await seenBy('gone'))?.summary).toMatchObject({ state: 'open', brandIds: ['rolex', 'gucci'] })
    })

    test('what only a verdict blocked, without any case, is not cleared by another brand once it is edited', async () => {
      await world.screen('sold', 1, { outcome: 'allow', brandIds: ['gucci'] })
      const [decision] = (await world.node.reader.history('sold'))?.decisions ?? []
      if (decision === undefined) throw new Error('it was not decided')
      const verdict = verdictOn(decision, 'confirmed')
      const topic = TOPICS.verdicts
      const from = await world.node.store.place('verdicts', topic, 0, 0n)
      const record = { key: null, value: null, headers: {}, offset: from, appendedAt: new Date() }
      const read = { record, partition: 0, tried: { kind: 'ok', value: { kind: 'verdict', verdict } } } as const
      const span = { group: 'verdicts', topic, partition: 0, from, next: from + 1n }
      await world.node.verdicts.commit(
        span,
        [verdict],
        (known, now) => settleVerdicts([read], known, { topics: TOPICS, topic, now, maxDeadLetterBytes: 9 }).settlement,
      )
      expect(await current('sold')).toMatchObject({ outcome: 'block', caseId: null })
      await world.screen('sold', 2, { brandIds: ['rolex'] })
      expect((await seenBy('sold'))?.summary).toMatchObject({ state: 'open', brandIds: ['rolex', 'gucci'] })
    })

    test('who knows what stopped a listing is asked about it; of what is on sale nobody hears for that', async () => {
      await world.screen('known', 1, { brandIds: [], knownTo: ['gucci'] })
      await world.screen('sold', 1, { outcome: 'allow', brandIds: [], knownTo: ['gucci'] })
      expect(await listed('gucci')).toEqual(['known'])
      expect((await world.node.reader.history('sold'))?.decisions.map((d) => d.brandIds)).toEqual([[]])
      const caseId = await world.caseOf('known')
      const cleared = await world.review.verdict(caseId, holder('gucci'), { verdict: 'rejected' })
      expect(cleared).toMatchObject({
        verdicts: [{ brandId: 'gucci' }],
        stands: { outcome: 'allow', state: 'resolved' },
      })

      await world.screen('two', 1, { brandIds: ['rolex'], knownTo: ['gucci', 'rolex'] })
      const both = await world.caseOf('two')
      expect((await seenBy('two'))?.summary.brandIds).toEqual(['rolex', 'gucci'])
      const half = await world.review.verdict(both, holder('rolex'), { verdict: 'rejected' })
      expect(half).toMatchObject({ decisions: [], stands: { outcome: 'hold', state: 'open' } })
      // Opened again, it is about the same.
      await world.review.verdict(both, analyst, { verdict: 'rejected' })
      await world.review.reopen(both, analyst, { reason: 'again', takeBack: false })
      expect((await seenBy('two', 'gucci'))?.summary).toMatchObject({ state: 'open', brandIds: ['gucci'] })
    })
  })
}
