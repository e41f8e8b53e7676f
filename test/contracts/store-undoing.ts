// What every store must keep of verdicts that are taken back after their listing was edited.
import { beforeEach, describe, expect, test } from 'vitest'
import { analyst, ends, holder, marketplace, reviewWorlds, type ReviewWorld } from './review-world.ts'
import type { SharedStore } from './store.ts'

export function undoingContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: undoing`, () => {
    let a: ReviewWorld
    let b: ReviewWorld
    beforeEach(async () => {
      ;[a, b] = await reviewWorlds(start)
    })

    test('the verdict on an edited listing is undone although its revision stands no more', async () => {
      await a.screen('old', 1)
      const caseId = await a.caseOf('old')
      await a.review.verdict(caseId, analyst, { verdictId: 'wrong', verdict: 'confirmed' })
      await a.screen('old', 2, { outcome: 'allow' })
      const before = await a.history('old')
      const late = await a.review.verdict(caseId, analyst, { verdict: 'rejected' })
      expect(ends([late])).toEqual(['case-changed'])
      const undone = await a.review.verdict(caseId, analyst, { verdict: 'cannot-tell', supersedes: 'wrong' })
      expect(undone).toMatchObject({ kind: 'recorded', decisions: [], stands: { revision: 2, outcome: 'hold' } })
      expect(await a.history('old')).toEqual(before)
    })

    test('a verdict is undone from a later revision that its case went over to, by name and by taking back', async () => {
      const counted = async () => {
        const left: string[] = []
        for await (const { verdicts } of a.node.labels.judged()) {
          const gone = new Set(verdicts.map((v) => v.supersedes))
          left.push(
            ...verdicts.filter((v) => v.verdict !== 'cannot-tell' && !gone.has(v.verdictId)).map((v) => v.verdictId),
          )
        }
        return left.toSorted()
      }
      for (const listingId of ['named', 'taken']) {
        await a.screen(listingId, 1)
        const caseId = await a.caseOf(listingId)
        const wrong = { verdictId: `wrong-${listingId}`, verdict: 'confirmed' } as const
        await a.review.verdict(caseId, analyst, wrong)
        await a.review.appeal(listingId, marketplace(), 'It is mine.')
        await a.screen(listingId, 2, { outcome: 'allow' })
        expect(await a.caseOf(listingId)).toBe(caseId)
        const cleared = await a.review.verdict(caseId, analyst, { verdictId: `ok-${listingId}`, verdict: 'rejected' })
        // What an edit made honest says nothing of what it was before: the confirmation stays, and is named.
        expect(cleared).toMatchObject({
          kind: 'recorded',
          earlier: [{ verdictId: wrong.verdictId, revision: 1, brandId: null }],
          stands: { revision: 2, outcome: 'allow', state: 'resolved' },
        })
      }
      expect(await counted()).toEqual(['ok-named', 'ok-taken', 'wrong-named', 'wrong-taken'])

      const named = await a.caseOf('named')
      const supersedes = 'wrong-named'
      // Naming an old word does not make a second one the first on what stands.
      expect(ends([await b.review.verdict(named, analyst, { verdict: 'confirmed', supersedes })])).toEqual([
        'already-decided',
      ])
      const own = await b.review.verdict(named, holder('nike'), { verdict: 'cannot-tell', supersedes })
      expect(own).toMatchObject({ kind: 'refused', path: '/supersedes' })
      const undone = await b.review.verdict(named, analyst, { verdict: 'cannot-tell', supersedes })
      expect(undone).toMatchObject({ kind: 'recorded', decisions: [], stands: { revision: 2, outcome: 'allow' } })
      const twice = await b.review.verdict(named, analyst, { verdict: 'cannot-tell', supersedes })
      expect(ends([twice])).toEqual(['already-decided'])
      const other = await b.review.verdict(named, analyst, { verdict: 'cannot-tell', supersedes: 'wrong-taken' })
      expect(other).toMatchObject({ kind: 'refused', path: '/supersedes' })

      const back = await b.review.reopen(await a.caseOf('taken'), analyst, { reason: 'all wrong', takeBack: true })
      expect(back).toMatchObject({ kind: 'recorded', stands: { revision: 2, outcome: 'hold', state: 'open' } })
      expect(
        back?.kind === 'recorded' &&
          back.verdicts.map((v) => String(v.supersedes)).toSorted((x, y) => x.localeCompare(y)),
      ).toEqual(['ok-taken', 'wrong-taken'])
      expect(await counted()).toEqual(['ok-named'])
    })
  })
}
