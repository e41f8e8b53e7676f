// A listing is tried again because a picture that stopped it has left its bank. Real: settling both times; made up: assessments.
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import { assessment } from './assessments.ts'
import { degraded, shows, screened, again } from './tried-again.ts'

describe('trying again because a picture has left its bank', () => {
  const afterChange = 5n
  /** Stopped by everything that was asked: nothing was amiss but the picture. */
  const stopped = (outcome: 'hold' | 'block') => screened(shows(assessment(outcome), 'a', 'b'))
  const clean = shows(assessment('allow'), 'a', 'b')

  it('puts on sale what nothing speaks against any more, and says why', () => {
    for (const outcome of ['hold', 'block'] as const) {
      const { standing, decision } = stopped(outcome)
      const { decided, settlement, ended } = again(clean, standing, [decision], { afterChange, seen: ['a', 'b'] })
      expect(decided).toMatchObject([{ stage: 'rescreen', sequence: 2, outcome: 'allow', degraded: false }])
      expect(decided[0]?.reasons.map((r) => r.code)).toEqual(['known-picture-taken-back'])
      expect(settlement.cases).toMatchObject([{ caseId: decision.caseId, change: 'released' }])
      expect(settlement.standings).toMatchObject([{ outcome: 'allow', caseId: null, holdUntil: null }])
      expect(settlement.outbox).toHaveLength(1)
      expect(ended).toEqual([{ listingId: 'L', revision: 1, afterChange }])
      // Without a departure what nothing was amiss with is left as it is.
      expect(again(clean, standing, [decision], { seen: ['a', 'b'] }).decided).toEqual([])
    }
  })

  it('says anew what still stops it, as mild as it is by now, and for as long as it was', () => {
    const held = stopped('hold')
    const still = again(shows(assessment('hold'), 'a', 'b'), held.standing, [held.decision], { afterChange })
    expect(still.decided).toMatchObject([{ outcome: 'hold', hold: held.decision.hold, caseId: held.decision.caseId }])
    expect(still.decided[0]?.reasons.map((r) => r.code)).toEqual(['needs-a-look'])
    expect(still.settlement.cases).toMatchObject([{ change: 'carry' }])
    const blocked = stopped('block')
    const milder = again(shows(assessment('hold'), 'a', 'b'), blocked.standing, [blocked.decision], { afterChange })
    expect(milder.decided).toMatchObject([{ outcome: 'hold', hold: { until: '2026-01-02T01:00:00.000Z' } }])
  })

  it('stays with the brands that were asked about it, whatever still speaks or not', () => {
    const { standing, decision } = screened({
      ...shows(assessment('hold'), 'a', 'b'),
      brandIds: [],
      knownTo: ['gucci'],
    })
    expect(decision.brandIds).toEqual(['gucci'])
    const still = shows({ ...assessment('hold'), brandIds: [], knownTo: ['rolex'] }, 'a', 'b')
    const { decided, settlement } = again(still, standing, [decision], { afterChange })
    expect([decided[0]?.brandIds, settlement.cases[0]?.brandIds]).toEqual([
      ['rolex', 'gucci'],
      ['rolex', 'gucci'],
    ])
    // They see that it is on sale, and why; what is known of it to others by now is not said for that.
    const free = again({ ...clean, brandIds: [], knownTo: ['rolex'] }, standing, [decision], { afterChange })
    expect(free.decided[0]?.brandIds).toEqual(['gucci'])
  })

  it('leaves alone what is on sale, what a person decided, and what was edited since', () => {
    const sold = screened(assessment('allow'))
    for (const tried of [assessment('block'), degraded('hold')])
      expect(again(tried, sold.standing, [sold.decision], { afterChange })).toMatchObject({
        decided: [],
        ended: [{ listingId: 'L' }],
      })
    const { standing, decision } = stopped('hold')
    const word: Decision = { ...decision, sequence: 2, stage: 'review', outcome: 'block' }
    for (const [now, decisions] of [
      [{ ...standing, sequence: 2, outcome: 'block' as const }, [decision, word]],
      [{ ...standing, revision: 2 }, [decision]],
    ] as const) {
      const result = again(clean, now, decisions, { afterChange })
      expect([result.decided, result.ended.length]).toEqual([[], 1])
    }
  })

  it('needs the same bytes again, those of the evidence too though they were not kept, and all of them', () => {
    const { standing, decision } = stopped('hold')
    const evidence = { matches: [{ image: 1, sha256: 'b', bankId: 'bad', kind: 'counterfeit' }] }
    const named: Decision = {
      ...decision,
      signals: [
        { name: 'image-hash', version: '1', state: 'scored', score: 1, contribution: 1, evidence, durationMs: 1 },
      ],
    }
    const swapped = again(shows(assessment('allow'), 'a', 'other'), standing, [named], { afterChange, seen: ['a'] })
    expect(swapped.decided).toEqual([])
    expect(swapped.waiting).toEqual([{ listingId: 'L', revision: 1, seen: ['a', 'b'] }])
    const away = degraded('hold')
    const worse = { ...away, answer: { ...away.answer, seenAlone: 'hold' as const }, risk: { ...away.risk, risk: 0.9 } }
    const silent = again(shows(worse, 'a', null), standing, [named], { afterChange, seen: ['a'] })
    expect([silent.decided, silent.waiting.length]).toEqual([[], 1])
    expect(again(clean, standing, [named], { afterChange, seen: ['a'] }).decided).toMatchObject([{ outcome: 'allow' }])
  })

  it('never decides better than hold what was edited while it was held', () => {
    const first = stopped('hold')
    const second = screened(shows(assessment('hold'), 'a', 'b'), first.standing, 2)
    const { decided } = again(clean, second.standing, [second.decision], { revision: 2, afterChange })
    expect(decided).toMatchObject([{ outcome: 'hold', hold: { onDeadline: 'block' } }])
    expect(decided[0]?.reasons.map((r) => r.code)).toEqual(['earlier-revision-in-review'])
  })
})
