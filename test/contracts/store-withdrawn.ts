// What every store must keep of a case that its seller's withdrawal closed: it is the case of the next revision that has one, with all it was about.
import { beforeEach, describe, expect, test } from 'vitest'
import { analyst, holder, reviewWorlds, type ReviewWorld } from './review-world.ts'
import type { SharedStore } from './store.ts'

export function withdrawnCasesContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: a withdrawn case`, () => {
    let world: ReviewWorld
    let other: ReviewWorld
    beforeEach(async () => {
      ;[world, other] = await reviewWorlds(start)
    })

    const found = async (caseId: string) => {
      const details = await world.node.cases.find(caseId, { subject: 'test', brandIds: undefined })
      if (details === undefined) throw new Error(`${caseId} is not there`)
      return details
    }
    const listed = async (state: 'open' | 'withdrawn', ...brandIds: string[]) => {
      const reader = { subject: 'test', brandIds: brandIds.length === 0 ? undefined : brandIds }
      return (await world.node.cases.list({ sort: 'due', limit: 9, state }, reader)).items.map(({ caseId }) => caseId)
    }

    test('is open again with the next revision that is held, due anew, and its brands stay asked', async () => {
      await world.screen('L', 1, { brandIds: ['gucci'] })
      const caseId = await world.caseOf('L')
      await world.review.claim(caseId, analyst, 60)
      const { openedAt } = (await found(caseId)).summary
      await world.withdraw('L', 1)
      expect([await listed('open'), await listed('withdrawn')]).toEqual([[], [caseId]])

      // Another process takes what comes next.
      await other.screen('L', 2, { outcome: 'allow', brandIds: ['rolex'] })
      expect([await listed('open', 'gucci'), await listed('withdrawn')]).toEqual([[caseId], []])
      const { summary, decisions } = await found(caseId)
      expect(summary).toMatchObject({
        revision: 2,
        state: 'open',
        openedBy: 'hold',
        brandIds: ['rolex', 'gucci'],
        closedAt: null,
        claim: null,
      })
      const [first, second] = decisions
      expect([decisions.length, summary.dueAt]).toEqual([2, second?.hold?.until])
      expect(summary.dueAt).not.toBe(first?.hold?.until)
      expect(Date.parse(summary.openedAt)).toBeGreaterThan(Date.parse(openedAt))

      // What was looked at before the edit is not what stands.
      const late = await world.review.verdict(caseId, analyst, {
        verdict: 'confirmed',
        decisionId: first?.decisionId ?? '',
      })
      expect(late).toMatchObject({ kind: 'refused', code: 'case-changed' })
      const half = await world.review.verdict(caseId, holder('rolex'), { verdict: 'rejected' })
      expect(half).toMatchObject({ decisions: [], stands: { outcome: 'hold', state: 'open' } })
      const cleared = await world.review.verdict(caseId, holder('gucci'), { verdict: 'rejected' })
      expect(cleared).toMatchObject({ stands: { outcome: 'allow', state: 'resolved' } })
    })

    test('again and again withdrawn it stays one case, also in the hands of two processes', async () => {
      await world.screen('L', 1)
      const caseId = await world.caseOf('L')
      for (const revision of [1, 2, 3]) {
        await world.withdraw('L', revision)
        await other.screen('L', revision + 1)
      }
      expect(await listed('open')).toEqual([caseId])
      await world.withdraw('L', 9)
      expect((await found(caseId)).summary).toMatchObject({ revision: 4, state: 'withdrawn' })
      await world.screen('L', 10)
      expect([await world.caseOf('L'), await listed('open'), await listed('withdrawn')]).toEqual([caseId, [caseId], []])
    })

    test('that somebody has settled stays settled: the next revision has a case of its own', async () => {
      for (const verdict of ['confirmed', 'rejected'] as const) {
        await world.screen(verdict, 1)
        const caseId = await world.caseOf(verdict)
        await world.withdraw(verdict, 1)
        await world.review.verdict(caseId, analyst, { verdict })
        await world.screen(verdict, 2)
        expect(await world.caseOf(verdict)).not.toBe(caseId)
        expect((await found(caseId)).summary).toMatchObject({ revision: 1, state: 'resolved' })
      }
    })

    test('whose word was taken back is open again with the next one; a word of one of its brands stays', async () => {
      await world.screen('undone', 1)
      const undone = await world.caseOf('undone')
      await world.withdraw('undone', 1)
      await world.review.verdict(undone, analyst, { verdict: 'confirmed' })
      await world.review.reopen(undone, analyst, { reason: 'a mistake', takeBack: true })
      await world.screen('undone', 2)
      expect(await world.caseOf('undone')).toBe(undone)

      await world.screen('half', 1, { brandIds: ['gucci', 'rolex'] })
      const half = await world.caseOf('half')
      await world.withdraw('half', 1)
      await world.review.verdict(half, holder('gucci'), { verdict: 'rejected' })
      await world.screen('half', 2, { brandIds: ['gucci', 'rolex'] })
      expect(await world.caseOf('half')).toBe(half)
      // It was said of the revision before.
      const rolex = await world.review.verdict(half, holder('rolex'), { verdict: 'rejected' })
      expect(rolex).toMatchObject({ decisions: [], stands: { outcome: 'hold', state: 'open' } })
    })

    test('of a listing that was on sale since stays as it was, and takes a word', async () => {
      await world.screen('sold', 1, { outcome: 'allow', drawn: true, brandIds: ['gucci'] })
      const caseId = await world.caseOf('sold')
      await world.withdraw('sold', 1)
      await world.screen('sold', 2, { outcome: 'allow', brandIds: ['rolex'] })
      expect((await world.history('sold')).current).toMatchObject({ revision: 2, outcome: 'allow', caseId: null })
      await world.withdraw('sold', 2)
      await world.screen('sold', 3, { brandIds: ['rolex'] })
      expect(await world.caseOf('sold')).not.toBe(caseId)
      expect(await listed('withdrawn', 'gucci')).toEqual([caseId])
      const said = await world.review.verdict(caseId, holder('gucci'), { verdict: 'confirmed' })
      expect(said).toMatchObject({ kind: 'recorded', decisions: [], stands: { state: 'resolved', revision: 3 } })
    })

    test('of a sample is a sample or a hold as the next revision is, about both', async () => {
      for (const [listingId, next, openedBy] of [
        ['drawn', { outcome: 'allow', drawn: true, brandIds: ['rolex'] }, 'audit'],
        ['stopped', { outcome: 'hold', brandIds: ['rolex'] }, 'hold'],
      ] as const) {
        await world.screen(listingId, 1, { outcome: 'allow', drawn: true, brandIds: ['gucci'] })
        const caseId = await world.caseOf(listingId)
        await world.withdraw(listingId, 1)
        await world.screen(listingId, 2, next)
        expect(await world.caseOf(listingId)).toBe(caseId)
        const { summary } = await found(caseId)
        expect(summary).toMatchObject({ state: 'open', openedBy, brandIds: ['rolex', 'gucci'], revision: 2 })
        expect((await world.history(listingId)).current).toMatchObject({ caseId, outcome: next.outcome })
      }
    })
  })
}
