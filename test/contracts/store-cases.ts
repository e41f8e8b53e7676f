// What every store must keep of the queue: each case once, in order, and to a rights holder nothing of others.
import { beforeEach, describe, expect, test } from 'vitest'
import type { CaseQuery, Reader } from '../../src/review/ports.ts'
import { analyst, holder, marketplace, reviewWorlds, type ReviewWorld } from './review-world.ts'
import type { SharedStore } from './store.ts'

const ALL: Reader = { subject: analyst.subject, brandIds: undefined }
const brands = (...brandIds: string[]): Reader => ({ subject: holder(...brandIds).subject, brandIds })

export function casesContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: the queue of cases`, () => {
    let world: ReviewWorld
    beforeEach(async () => {
      ;[world] = await reviewWorlds(start)
    })

    const pages = async (query: Partial<CaseQuery>, reader = ALL): Promise<string[]> => {
      const found: string[] = []
      for (let after: string | undefined; ;) {
        const page = await world.node.cases.list({ sort: 'due', limit: 2, ...query, after }, reader)
        found.push(...page.items.map((item) => item.listingId))
        if (page.next === undefined) return found
        after = page.next
      }
    }

    test('pages give each case once: by due time with those without one last, or by risk', async () => {
      for (const [listingId, risk, holdSeconds] of [
        ['a', 0.5, 300],
        ['b', 0.9, 100],
        ['c', 0.5, 200],
        ['d', 0.1, 400],
        ['e', 0.5, 200],
      ] as const)
        await world.screen(listingId, 1, { risk, holdSeconds })
      expect(await pages({ sort: 'due', limit: 1 })).toEqual(['b', 'c', 'e', 'a', 'd'])
      const byRisk = await pages({ sort: 'risk' })
      expect([byRisk[0], byRisk[4]]).toEqual(['b', 'd'])
      expect(byRisk.slice(1, 4).toSorted()).toEqual(['a', 'c', 'e'])
    })

    test('what is not open any more comes by when it was closed, the last one first; what is open again does not', async () => {
      for (const id of ['a', 'b', 'c', 'd', 'open'])
        await world.screen(id, 1, { brandIds: [id === 'b' ? 'puma' : 'nike'] })
      const found = await world.node.cases.list({ sort: 'due', limit: 9 }, ALL)
      const idOf = (listingId: string) => found.items.find((c) => c.listingId === listingId)?.caseId ?? 'none'
      for (const id of ['c', 'a', 'd', 'b']) await world.review.verdict(idOf(id), analyst, { verdict: 'confirmed' })
      await world.review.verdict(idOf('a'), analyst, {
        verdict: 'cannot-tell',
        supersedes: await firstWordOn(idOf('a')),
      })
      expect(await pages({ sort: 'closed', limit: 1 })).toEqual(['b', 'd', 'c'])
      expect(await pages({ sort: 'closed', limit: 2 }, brands('nike'))).toEqual(['d', 'c'])
      expect(await pages({ sort: 'closed', state: 'withdrawn' })).toEqual([])
    })

    const firstWordOn = async (caseId: string) =>
      (await world.node.cases.find(caseId, ALL))?.verdicts[0]?.verdictId ?? 'none'

    test('a cursor of another order, or nobody’s, is refused', async () => {
      for (const id of ['a', 'b']) await world.screen(id, 1)
      const { next } = await world.node.cases.list({ sort: 'risk', limit: 1 }, ALL)
      const forged = Buffer.from(JSON.stringify([1, 'risk', 'x', 'y'])).toString('base64url')
      for (const [sort, after] of [
        ['due', next],
        ['risk', 'nonsense'],
        ['risk', '***'],
        ['risk', forged],
        ['closed', next],
        ['closed', Buffer.from('[1,"closed",null,"y"]').toString('base64url')],
        ['due', Buffer.from('[1,"due","2026-13-01T00:00:00.000000Z","y"]').toString('base64url')],
      ] as const)
        await expect(world.node.cases.list({ sort, limit: 1, after }, ALL)).rejects.toMatchObject({
          code: 'bad-cursor',
        })
    })

    test('filters say what they mean', async () => {
      await world.screen('held', 1, { brandIds: ['nike'], marketplace: 'demo' })
      await world.screen('blocked', 1, { outcome: 'block', brandIds: ['puma'] })
      await world.screen('cleared', 1, { brandIds: ['nike', 'puma'] })
      const found = await world.node.cases.list({ sort: 'due', limit: 9 }, ALL)
      const idOf = (listingId: string) => found.items.find((c) => c.listingId === listingId)?.caseId ?? 'none'
      await world.review.verdict(idOf('cleared'), analyst, { verdict: 'rejected' })
      await world.review.claim(idOf('held'), analyst, 60)
      for (const [query, expected] of [
        [{ state: 'open' }, ['blocked', 'held']],
        [{ state: 'resolved' }, ['cleared']],
        [{ brandId: 'nike' }, ['cleared', 'held']],
        [{ marketplace: 'demo' }, ['held']],
        [{ openedBy: 'block' }, ['blocked']],
        [{ outcome: 'allow' }, ['cleared']],
        [{ outcome: 'block', state: 'open' }, ['blocked']],
        [{ claimed: 'me' }, ['held']],
        [{ claimed: 'yes' }, ['held']],
        [{ claimed: 'no' }, ['blocked', 'cleared']],
        [{ brandId: "'; drop table review_case; --" }, []],
      ] as const)
        expect((await pages(query)).toSorted(), JSON.stringify(query)).toEqual(expected)
      expect(await pages({ claimed: 'me' }, brands('nike'))).toEqual([])
    })

    test('to a rights holder the cases and the words of others do not exist', async () => {
      await world.screen('nike', 1, { brandIds: ['nike'] })
      await world.screen('both', 1, { brandIds: ['puma', 'nike'] })
      await world.screen('none', 1, { brandIds: [] })
      expect((await pages({}, brands('puma'))).toSorted()).toEqual(['both'])
      expect((await pages({}, brands('puma', 'nike'))).toSorted()).toEqual(['both', 'nike'])
      expect(await pages({}, brands())).toEqual([])
      // A filter must not tell what the answer hides.
      expect(await pages({ brandId: 'nike' }, brands('puma'))).toEqual([])
      const [seen] = (await world.node.cases.list({ sort: 'due', limit: 9 }, brands('puma'))).items
      expect(seen).toMatchObject({ listingId: 'both', brandIds: ['puma'] })
      const caseId = seen?.caseId ?? 'none'
      const stands = (await world.node.cases.find(caseId, brands('puma')))?.decisions.at(-1)
      expect(seen?.reason).toEqual(stands?.reasons[0])
      expect(seen?.reason?.text).toBeDefined()
      await world.review.verdict(caseId, holder('nike'), { verdict: 'rejected', note: 'ours' })
      await world.review.verdict(caseId, analyst, { verdict: 'cannot-tell' })
      const said = async (reader: Reader) =>
        (await world.node.cases.find(caseId, reader))?.verdicts.map((v) => v.brandId)
      expect(await said(brands('puma'))).toEqual([null])
      expect(await said(brands('nike'))).toEqual(['nike', null])
      expect(await said(ALL)).toEqual(['nike', null])
      expect(await world.node.cases.find(caseId, brands('adidas'))).toBeUndefined()
      expect(await world.review.verdict(caseId, holder('adidas'), { verdict: 'confirmed' })).toBeUndefined()
    })

    test('a case shows the revision it went over to, and the decisions that name it', async () => {
      await world.screen('L', 1, { outcome: 'block' })
      await world.screen('L', 2, { outcome: 'hold', risk: 0.7, brandIds: ['puma'] })
      const [item] = (await world.node.cases.list({ sort: 'due', limit: 9 }, ALL)).items
      expect(item).toMatchObject({ revision: 2, risk: 0.7, openedBy: 'block', outcome: 'hold' })
      await world.review.appeal('L', marketplace(), 'It is mine.')
      const details = await world.node.cases.find(item?.caseId ?? '', ALL)
      expect(details).toMatchObject({
        listing: { listingId: 'L', revision: 2 },
        appeals: [{ text: 'It is mine.', revision: 2 }],
      })
      expect(details?.decisions.map((d) => [d.revision, d.outcome])).toEqual([
        [1, 'block'],
        [2, 'hold'],
      ])
      expect(await world.node.cases.find('nobody', ALL)).toBeUndefined()
    })
  })
}
