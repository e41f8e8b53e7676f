// What every store must keep of reviewing: whoever speaks at the same time, there is one order, and nothing is said or decided twice.
import { beforeEach, describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/domain/verdict.ts'
import type { ReviewAnswer } from '../../src/pipeline/review.ts'
import { weighVerdicts } from '../../src/review/weigh-verdicts.ts'
import { analyst, ends, holder, marketplace, reviewWorlds, TOPICS, type ReviewWorld } from './review-world.ts'
import type { SharedStore } from './store.ts'

const EVERYTHING = { subject: 'test', brandIds: undefined }

export function reviewContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: reviewing`, () => {
    let a: ReviewWorld
    let b: ReviewWorld
    beforeEach(async () => {
      ;[a, b] = await reviewWorlds(start)
    })
    const saidOn = async (caseId: string): Promise<readonly Verdict[]> =>
      (await a.node.cases.find(caseId, EVERYTHING))?.verdicts ?? []

    test('two verdicts at once: one counts, the other is told what stands', async () => {
      for (let round = 0; round < 5; round++) {
        const listingId = `two-${round}`
        await a.screen(listingId, 1)
        const caseId = await a.caseOf(listingId)
        const answers = await Promise.all([
          a.review.verdict(caseId, analyst, { verdict: 'confirmed' }),
          b.review.verdict(caseId, analyst, { verdict: 'rejected' }),
        ])
        expect(ends(answers)).toEqual(['already-decided', 'recorded'])
        const said = await saidOn(caseId)
        expect(said).toHaveLength(1)
        const outcome = said[0]?.verdict === 'confirmed' ? 'block' : 'allow'
        for (const answer of answers)
          expect(answer).toMatchObject({ stands: { state: 'resolved', outcome, sequence: 2 } })
        expect((await a.history(listingId)).decisions.map((d) => d.outcome)).toEqual(['hold', outcome])
      }
      expect([await a.node.waitingFor(TOPICS.verdicts), await a.node.waitingFor(TOPICS.decisions)]).toEqual([5, 10])
    })

    test('each brand of a case has its word, whatever another one decided: its label and its bank; taken back, the other’s stands', async () => {
      const [nike, puma] = [holder('nike'), holder('puma')]
      for (const [listingId, second] of [
        ['both', 'confirmed'],
        ['mixed', 'rejected'],
      ] as const) {
        await a.screen(listingId, 1, { brandIds: ['nike', 'puma'] })
        const caseId = await a.caseOf(listingId)
        const [one, two] = [`nike-${listingId}`, `puma-${listingId}`]
        const first = await a.review.verdict(caseId, nike, { verdictId: one, verdict: 'confirmed' })
        expect(first).toMatchObject({ kind: 'recorded', stands: { outcome: 'block', state: 'resolved', sequence: 2 } })
        const doubt = await b.review.verdict(caseId, puma, { verdict: 'cannot-tell' })
        expect(ends([doubt, await b.review.verdict(caseId, puma, { verdict: 'cannot-tell' })])).toEqual([
          'already-decided',
          'recorded',
        ])
        // At once twice: of one brand the first counts.
        const words = await Promise.all([
          a.review.verdict(caseId, puma, { verdictId: two, verdict: second }),
          b.review.verdict(caseId, puma, { verdictId: two, verdict: second }),
        ])
        expect(ends(words)).toEqual(['known', 'recorded'])
        expect(words.find((word) => word?.kind === 'recorded')).toMatchObject({
          verdicts: [{ brandId: 'puma', verdict: second, supersedes: null }],
          decisions: [],
          pictures: second === 'confirmed' ? { bankId: 'confirmed-puma' } : undefined,
          stands: { outcome: 'block', state: 'resolved', sequence: 2 },
        })
        for (const [who, said] of [
          [puma, { verdict: 'confirmed' }],
          [nike, { verdict: 'rejected' }],
          [analyst, { verdict: 'rejected', brandId: 'puma' }],
          [analyst, { verdict: 'rejected' }],
          // Not one of the case: nobody had asked it.
          [analyst, { verdict: 'confirmed', brandId: 'adidas' }],
        ] as const)
          expect(ends([await b.review.verdict(caseId, who, said)]), JSON.stringify(said)).toEqual(['already-decided'])

        const undone = await b.review.verdict(caseId, nike, { verdict: 'cannot-tell', supersedes: one })
        expect(undone).toMatchObject(
          second === 'confirmed'
            ? { decisions: [], stands: { outcome: 'block', state: 'resolved', sequence: 2 } }
            : { decisions: [{ outcome: 'hold' }], stands: { outcome: 'hold', state: 'open', sequence: 3 } },
        )
        const counting = (await saidOn(caseId)).filter((v) => v.verdictId === two)
        expect(counting).toMatchObject([{ verdict: second, brandId: 'puma' }])
      }
    })

    test('a word for all brands is each one’s: the next is refused, and told that analysts replace it', async () => {
      await a.screen('all', 1, { brandIds: ['nike', 'puma'] })
      const caseId = await a.caseOf('all')
      await a.review.verdict(caseId, analyst, { verdict: 'rejected' })
      const late = await b.review.verdict(caseId, holder('nike'), { verdict: 'confirmed' })
      expect(late).toMatchObject({
        kind: 'refused',
        code: 'already-decided',
        message: expect.stringContaining('for all brands') as string,
        stands: { outcome: 'allow' },
      })
    })

    test('an analyst speaks for the second brand of a resolved case too', async () => {
      await a.screen('spoken', 1, { brandIds: ['nike', 'puma'] })
      const caseId = await a.caseOf('spoken')
      await a.review.verdict(caseId, analyst, { verdict: 'confirmed', brandId: 'nike' })
      const second = await a.review.verdict(caseId, analyst, { verdict: 'rejected', brandId: 'puma' })
      expect(second).toMatchObject({ kind: 'recorded', decisions: [], stands: { outcome: 'block', sequence: 2 } })
    })

    test('one id at once on one case is recorded once, on two cases for one of them', async () => {
      await a.screen('X', 1)
      await a.screen('Y', 1)
      const [x, y] = [await a.caseOf('X'), await a.caseOf('Y')]
      // On the same decision, whoever comes first: what it decides would be another one to look at.
      const decisionId = (await a.history('X')).decisions.at(-1)?.decisionId
      const said = { verdictId: 'same', verdict: 'rejected', decisionId } as const
      const twice = await Promise.all([a.review.verdict(x, analyst, said), b.review.verdict(x, analyst, said)])
      expect(ends(twice)).toEqual(['known', 'recorded'])
      const other = { verdictId: 'shared', verdict: 'cannot-tell' } as const
      const crossed = await Promise.all([
        a.review.verdict(y, analyst, other),
        a.screen('Z', 1).then(async () => b.review.verdict(await a.caseOf('Z'), analyst, other)),
      ])
      expect(ends(crossed)).toEqual(['recorded', 'verdict-reused'])
      expect(await a.node.waitingFor(TOPICS.verdicts)).toBe(2)
    })

    test('whoever speaks, edits, withdraws, answers or lets time pass at once: one order, dense, and its end follows from it', async () => {
      for (let round = 0; round < 8; round++) {
        const listingId = `all-${round}`
        // Due at once: the clock runs with the others.
        await a.screen(listingId, 1, { brandIds: ['nike', 'puma'], holdSeconds: 0 })
        const caseId = await a.caseOf(listingId)
        const answers = await Promise.all([
          a.review.verdict(caseId, holder('nike'), { verdict: 'rejected' }),
          b.review.verdict(caseId, holder('puma'), { verdict: round % 2 === 0 ? 'rejected' : 'confirmed' }),
          a.review.verdict(caseId, analyst, { verdict: round % 3 === 0 ? 'confirmed' : 'rejected' }),
          b.review.appeal(listingId, marketplace(), 'It is genuine.'),
          b.review.reopen(caseId, analyst, { reason: 'again', takeBack: round % 4 === 0 }),
          a.tick(),
          b.tick(),
          round % 2 === 0 ? b.screen(listingId, 2, { outcome: 'allow' }) : undefined,
          round % 3 === 0 ? a.withdraw(listingId, 1) : undefined,
        ]).then((all) => all.slice(0, 5) as (ReviewAnswer | undefined)[])
        await check(listingId, answers)
      }
    }, 60_000)

    async function check(listingId: string, answers: readonly (ReviewAnswer | undefined)[]): Promise<void> {
      const { decisions, current } = await a.history(listingId)
      expect(decisions.map((d) => d.sequence)).toEqual(decisions.map((_, i) => i + 1))
      const screened = decisions.filter((d) => d.stage === 'screening').map((d) => d.revision)
      expect(new Set(screened).size).toBe(screened.length)
      const cases = [...new Set(decisions.flatMap((d) => d.caseId ?? []))]
      const found = await Promise.all(cases.map((id) => a.node.cases.find(id, EVERYTHING)))
      const open = found.filter((c) => c?.summary.state === 'open').map((c) => c?.summary.caseId)
      expect(open).toEqual(current.caseId === null ? [] : [current.caseId])
      // Each verdict that was answered as recorded is there once, and no other.
      const recorded = answers.flatMap((x) => (x?.kind === 'recorded' ? x.verdicts.map((v) => v.verdictId) : []))
      const all = new Map<string, Verdict>()
      for (const c of found) for (const v of c?.verdicts ?? []) all.set(v.verdictId, v)
      for (const id of all.keys()) expect(recorded).toContain(id)
      const standing = [...all.values()].filter((v) => v.revision === current.revision)
      const weighed = weighVerdicts(
        standing,
        decisions.findLast((d) => d.revision === current.revision)?.brandIds ?? [],
      )
      // Of what is withdrawn nothing is decided: a word that confirms it only keeps it from coming back as if nothing were.
      const gone = current.withdrawnRevision >= current.revision
      const last = decisions.at(-1)?.outcome
      expect(current.outcome).toBe(gone && weighed === 'confirmed' && last === 'allow' ? 'block' : last)
      if (weighed === 'confirmed' && !gone) expect(current.outcome).toBe('block')
      if (weighed === 'rejected' && !gone) expect(current.outcome).toBe('allow')
    }

    test('a verdict against the clock, an edit and a withdrawal: whichever is first, both ends are one of those that may be', async () => {
      for (let round = 0; round < 4; round++) {
        await a.screen(`clock-${round}`, 1, { holdSeconds: 0 })
        const clocked = await a.caseOf(`clock-${round}`)
        await Promise.all([a.tick(), b.review.verdict(clocked, analyst, { verdict: 'confirmed' })])
        expect((await a.history(`clock-${round}`)).current).toMatchObject({ outcome: 'block', caseId: null })

        await a.screen(`edit-${round}`, 1)
        const edited = await a.caseOf(`edit-${round}`)
        const looked = (await a.history(`edit-${round}`)).decisions[0]?.decisionId
        const [, word] = await Promise.all([
          a.screen(`edit-${round}`, 2, { outcome: 'allow' }),
          b.review.verdict(edited, analyst, { verdict: 'rejected', decisionId: looked }),
        ])
        // The word came first and the edit is free, or the edit did, and nothing was said of it.
        const { current } = await a.history(`edit-${round}`)
        expect([word?.kind, current.outcome]).toEqual(
          word?.kind === 'recorded' ? ['recorded', 'allow'] : ['refused', 'hold'],
        )
        expect(await saidOn(edited)).toHaveLength(word?.kind === 'recorded' ? 1 : 0)

        await a.screen(`gone-${round}`, 1)
        const gone = await a.caseOf(`gone-${round}`)
        const [, late] = await Promise.all([
          a.withdraw(`gone-${round}`, 1),
          b.review.verdict(gone, analyst, { verdict: 'rejected' }),
        ])
        const state = (await a.node.caseOf(gone))?.state
        expect([ends([late])[0], state]).toEqual(['recorded', 'resolved'])
        // The word came first and it was on sale, or the withdrawal did, and nothing was decided.
        const { decisions, current: left } = await a.history(`gone-${round}`)
        expect([decisions.length, left.outcome]).toEqual(decisions.length === 2 ? [2, 'allow'] : [1, 'hold'])
      }
    })

    test('a verdict is on what was looked at: of a revision that nobody saw nothing is said', async () => {
      await a.screen('worse', 1)
      const caseId = await a.caseOf('worse')
      const looked = (await a.history('worse')).decisions[0]?.decisionId
      await a.screen('worse', 2)
      const unseen = await a.review.verdict(caseId, analyst, { verdict: 'rejected', decisionId: looked })
      const stands = (await a.history('worse')).decisions.at(-1)?.decisionId
      expect(unseen).toMatchObject({
        kind: 'refused',
        code: 'case-changed',
        stands: { revision: 2, decisionId: stands, outcome: 'hold' },
      })
      expect(await saidOn(caseId)).toEqual([])
    })

    test('an answer is the seller’s own marketplace’s, counts once, and there are not endlessly many', async () => {
      await a.screen('L', 1, { outcome: 'block', marketplace: 'demo' })
      const caseId = await a.caseOf('L')
      expect(await a.review.appeal('L', marketplace('other'), 'x')).toBeUndefined()
      expect(await a.review.appeal('none', marketplace(), 'x')).toBeUndefined()
      const [first, again] = await Promise.all([
        a.review.appeal('L', marketplace('demo'), 'x'),
        b.review.appeal('L', marketplace(), 'x'),
      ])
      expect(ends([first, again])).toEqual(['known', 'recorded'])
      for (let i = 1; i < 20; i++) await a.review.appeal('L', marketplace(), `x${i}`)
      expect(ends([await a.review.appeal('L', marketplace(), 'one more')])).toEqual(['too-many-appeals'])
      expect((await a.node.cases.find(caseId, EVERYTHING))?.appeals).toHaveLength(20)
      // It was open all the time: a block waits for somebody too.
      expect((await a.node.cases.find(caseId, EVERYTHING))?.summary).toMatchObject({
        state: 'open',
        openedBy: 'block',
        appeals: 20,
      })
    })

    test('a claim is one person’s until it ends or is given back', async () => {
      await a.screen('C', 1)
      const caseId = await a.caseOf('C')
      const claims = await Promise.all([
        a.review.claim(caseId, analyst, 60),
        b.review.claim(caseId, holder('nike'), 60),
      ])
      expect(claims.map((c) => c?.kind ?? 'none').toSorted()).toEqual(['claimed', 'taken'])
      expect(await b.review.claim(caseId, holder('puma'), 60)).toBeUndefined()
      const mine = claims[0]?.kind === 'claimed' ? analyst : holder('nike')
      const other = mine === analyst ? holder('nike') : analyst
      expect(await a.review.claim(caseId, mine, 0.001)).toMatchObject({ kind: 'claimed' })
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(await b.review.claim(caseId, other, 60)).toMatchObject({ kind: 'claimed' })
      // Whoever has claimed it, the word of another counts; and a closed case is nobody's.
      expect(await a.review.verdict(caseId, mine, { verdict: 'rejected' })).toMatchObject({ kind: 'recorded' })
      expect(await b.review.claim(caseId, other, 60)).toMatchObject({ kind: 'closed', state: 'resolved' })
    })
  })
}
