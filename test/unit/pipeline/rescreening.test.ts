// A listing that was decided while a picture could not be seen is tried again. Real: settling both times; made up: assessments.
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import { settleDeadlines } from '../../../src/pipeline/deadlines.ts'
import { mayBeMended, type Assessment } from '../../../src/pipeline/assess.ts'
import { assessment } from './assessments.ts'
import { topics, LATER, listing, degraded, shows, screened, again } from './tried-again.ts'

describe('what is tried again', () => {
  it('is what a passing fault degraded, and nothing that waiting cannot mend', () => {
    expect(mayBeMended(degraded('hold'), listing)).toBe(true)
    expect(mayBeMended(degraded('hold', 'too-large'), listing)).toBe(false)
    expect(mayBeMended(assessment('hold'), listing)).toBe(false)
    const inline = { ...listing, images: [{ data: 'QUJD' }, { url: 'https://shop.example/2.jpg' }] }
    expect(mayBeMended(degraded('hold'), inline)).toBe(true)
    // Where the bytes are not at hand trying again would be trying without them.
    expect(mayBeMended(degraded('hold'), { ...listing, images: [{}] })).toBe(false)
    const [waits] = screened(degraded('hold'), undefined, 1, {}, inline).settlement.rescreens ?? []
    expect(waits).toMatchObject({ seen: [null], inline: ['QUJD', null] })
    expect(screened(degraded('hold')).settlement.rescreens).toEqual([{ listingId: 'L', revision: 1, seen: [null] }])
    expect(screened(shows(degraded('hold'), 'a', null)).settlement.rescreens).toMatchObject([{ seen: ['a', null] }])
    expect(screened(assessment('hold')).settlement.rescreens).toEqual([])
  })
})

describe('trying again', () => {
  it('puts what could not be kept in time into the case, as far as it is what was judged, and decides nothing', () => {
    const held = shows(assessment('hold'), 'a', 'b', 'c')
    const { standing, decision, settlement } = screened(held, undefined, 1, { kept: [], isLacking: true })
    expect(settlement.rescreens).toEqual([{ listingId: 'L', revision: 1, seen: ['a', 'b', 'c'] }])
    const kept = ['a', 'x'].map((sha256, ordinal) => ({ ordinal, sha256, whole: true }))
    const some = { seen: ['a', 'b', 'c'], kept, isLacking: true }
    const later = again(shows(assessment('hold'), 'a', 'x', 'c'), standing, [decision], some)
    expect(later.settlement.casePictures).toEqual([
      { caseId: decision.caseId, revision: 1, brandIds: decision.brandIds, ordinal: 0, sha256: 'a', whole: true },
    ])
    expect([later.decided, later.ended, later.waiting.length]).toEqual([[], [], 1])
    const all = again(held, standing, [decision], { ...some, isLacking: false })
    expect([all.decided, all.ended.length]).toEqual([[], 1])
    expect(
      again(held, standing, [decision], { ...some, attempts: 8, now: new Date('2026-01-02T00:00:00Z') }).ended,
    ).toHaveLength(1)
    // Decided anew it is in the case once: the store takes no place twice.
    const late = screened(shows(degraded('hold'), 'a', null), undefined, 1, { kept: [], isLacking: true })
    const anew = again(shows(assessment('hold'), 'a', 'b'), late.standing, [late.decision], {
      ...some,
      seen: ['a', null],
    })
    expect(anew.decided).toHaveLength(1)
    expect(anew.settlement.casePictures?.map(({ ordinal }) => ordinal)).toEqual([0, 1])
    // Also what was not seen at all, where no signal failed by that: nothing could be like it.
    const unseen = shows(assessment('hold'), null)
    const bare = screened(unseen)
    expect(bare.settlement.rescreens).toEqual([{ listingId: 'L', revision: 1, seen: [null] }])
    expect(screened(shows(assessment('allow'), null)).settlement.rescreens).toEqual([])
    const vain = again(unseen, bare.standing, [bare.decision], { seen: [null], kept: [] })
    expect([vain.settlement.casePictures, vain.waiting.length]).toEqual([[], 1])
    const seen = again(shows(assessment('hold'), 'a'), bare.standing, [bare.decision], { seen: [null] })
    expect(seen.settlement.casePictures).toMatchObject([{ ordinal: 0, sha256: 'a' }])
    expect([seen.decided, seen.ended.length]).toEqual([[], 1])
    // A person has decided since, or nobody is to look at it.
    const reviewed: Decision = { ...decision, sequence: 2, stage: 'review' }
    expect(again(held, { ...standing, sequence: 2 }, [decision, reviewed], some).settlement.casePictures).toEqual([])
    expect(screened(shows(assessment('allow'), 'a'), undefined, 1, { isLacking: true }).settlement.rescreens).toEqual(
      [],
    )
  })

  it('leaves alone what was edited, withdrawn or decided by a person since', () => {
    const { standing, decision } = screened(degraded('hold'))
    const reviewed: Decision = { ...decision, sequence: 2, stage: 'review', outcome: 'allow' }
    for (const { standing: now, decisions } of [
      { standing: { ...standing, revision: 2 }, decisions: [decision] },
      { standing: { ...standing, withdrawnRevision: 1 }, decisions: [decision] },
      { standing: { ...standing, sequence: 2 }, decisions: [decision, reviewed] },
    ]) {
      const result = again(assessment('block'), now, decisions)
      expect(result.decided).toEqual([])
      expect(result.settlement.outbox).toEqual([])
      expect(result.ended).toEqual([{ listingId: 'L', revision: 1, afterChange: 0n }])
    }
  })

  it('in vain writes nothing and is tried once more, until it was often enough or cannot help', () => {
    const { standing, decision } = screened(degraded('allow'))
    // Its deadline or the policy let it go on sale: the same silence does not take it off again.
    const vain = again(degraded('hold'), standing, [decision])
    expect([vain.decided, vain.ended]).toEqual([[], []])
    expect(again(degraded('hold'), standing, [decision], { attempts: 8 }).ended).toHaveLength(1)
    // While it is held, and until the last look before its hold ends.
    const held = screened(degraded('hold'))
    const after = (now: string) =>
      again(degraded('hold'), held.standing, [held.decision], { attempts: 8, now: new Date(now) }).ended.length
    expect([after('2026-01-01T13:00:00Z'), after('2026-01-01T23:45:00Z')]).toEqual([0, 1])
    expect(again(degraded('hold', 'too-large'), standing, [decision]).ended).toHaveLength(1)
  })

  it('waits an hour for a picture that is not there, as a host says too that has not been given it yet', () => {
    const { standing, decision, settlement } = screened(degraded('hold', 'gone'))
    expect(settlement.rescreens).toEqual([{ listingId: 'L', revision: 1, seen: [null] }])
    const at = (now: string, tried: Assessment) =>
      again(tried, standing, [decision], { attempts: 4, now: new Date(now) })
    const soon = at('2026-01-01T00:59:59Z', degraded('hold', 'gone'))
    expect([soon.decided, soon.ended, soon.waiting.length]).toEqual([[], [], 1])
    const later = at('2026-01-01T01:00:00Z', degraded('hold', 'gone'))
    expect([later.decided, later.ended.length]).toEqual([[], 1])
    // Whatever else is amiss with the listing is waited for as long as ever.
    const silentToo = { ...degraded('hold', 'gone'), passing: true }
    expect(at('2026-01-01T05:00:00Z', silentToo).waiting).toHaveLength(1)
    const { decided } = at('2026-01-01T00:01:00Z', shows(assessment('allow'), 'a'))
    expect(decided).toMatchObject([{ stage: 'rescreen', outcome: 'allow' }])
  })

  it('decides with all signals: what was held without a reason goes on sale and its case ends', () => {
    const { standing, decision } = screened(degraded('hold'))
    const { decided, settlement, ended } = again(assessment('allow'), standing, [decision])
    expect(decided).toMatchObject([{ stage: 'rescreen', sequence: 2, outcome: 'allow', degraded: false }])
    expect(decided[0]).not.toHaveProperty('hold')
    expect(decided[0]).not.toHaveProperty('caseId')
    expect(settlement.cases).toMatchObject([{ caseId: decision.caseId, change: 'released' }])
    expect(settlement.standings).toMatchObject([{ outcome: 'allow', caseId: null, holdUntil: null, sequence: 2 }])
    expect(settlement.outbox).toHaveLength(1)
    expect(ended).toHaveLength(1)
  })

  it('is never milder where a picture that was seen has become another one', () => {
    for (const outcome of ['hold', 'block'] as const) {
      const { standing, decision } = screened({
        ...degraded(outcome),
        risk: { ...assessment(outcome).risk, risk: 0.9 },
      })
      const swapped = again(shows(assessment('allow'), 'other', 'clean'), standing, [decision], { seen: ['a', null] })
      expect([swapped.decided, swapped.ended]).toEqual([[], []])
      // What was seen first is what binds.
      expect(swapped.waiting).toEqual([{ listingId: 'L', revision: 1, seen: ['a', 'clean'] }])
      // Nor where it is not there any more.
      const missing = again(shows(assessment('allow'), null, 'clean'), standing, [decision], { seen: ['a', null] })
      expect(missing.decided).toEqual([])
      const fewer = again(assessment('allow'), standing, [decision], { seen: ['a', null] })
      expect(fewer.decided).toEqual([])
      const same = again(shows(assessment('allow'), 'a', 'clean'), standing, [decision], { seen: ['a', null] })
      expect(same.decided).toMatchObject([{ outcome: 'allow', degraded: false }])
    }
  })

  it('is severer for what was seen meanwhile, although another picture or the same one stays away', () => {
    const worse = (tried: Assessment): Assessment => ({
      ...tried,
      answer: { ...tried.answer, seenAlone: 'hold', riskClass: 'high' },
      risk: { ...tried.risk, risk: 0.8 },
    })
    const sold = screened(degraded('allow'))
    const held = screened(degraded('hold'))
    for (const { standing, decision } of [sold, held]) {
      const part = again(worse(shows(degraded('hold'), 'bad', null)), standing, [decision], { seen: [null, null] })
      expect(part.decided).toMatchObject([{ outcome: 'hold', degraded: true, hold: { onDeadline: 'block' } }])
      expect(part.waiting).toEqual([{ listingId: 'L', revision: 1, seen: ['bad', null] }])
      const other = again(worse(shows(assessment('hold'), 'bad')), standing, [decision], { seen: ['good'] })
      expect(other.decided).toMatchObject([{ outcome: 'hold', degraded: true, hold: { onDeadline: 'block' } }])
    }
    // The same as before is nothing new.
    const again1 = again(worse(degraded('hold')), held.standing, [{ ...held.decision, risk: 0.8 }])
    expect(again1.decided).toEqual([])
  })

  it('lifts a block that only its deadline made', () => {
    const { standing, decision } = screened(degraded('hold'))
    const { decided: ended } = settleDeadlines([{ standing, decision }], LATER, topics)
    expect(ended).toMatchObject([{ stage: 'deadline', outcome: 'block', degraded: true }])
    expect(ended[0]?.reasons.map((r) => r.code)).toEqual([
      'needs-a-look',
      'not-reviewed-in-time',
      'not-checked-in-time',
    ])
    const blocked = { ...standing, sequence: 2, outcome: 'block' as const }
    const { decided } = again(shows(assessment('allow'), 'a'), blocked, [decision, ...ended], { seen: [null] })
    expect(decided).toMatchObject([{ stage: 'rescreen', outcome: 'allow', sequence: 3 }])
  })

  it('stops what was on sale, with a case and its pictures', () => {
    const { standing, decision } = screened(degraded('allow'))
    const { decided, settlement } = again(assessment('hold'), standing, [decision])
    expect(decided).toMatchObject([{ outcome: 'hold', hold: { until: '2026-01-02T01:00:00.000Z' } }])
    const caseId = decided[0]?.caseId
    expect(settlement.cases).toMatchObject([{ caseId, change: 'open', openedBy: 'hold' }])
    expect(settlement.casePictures).toMatchObject([
      { caseId, revision: 1, ordinal: 0, sha256: 'a', brandIds: ['nike'] },
    ])
    expect([...(settlement.shown ?? [])]).toEqual([[decided[0]?.decisionId, 'digest']])
  })

  it('leaves a hold its deadline and its case, and says that all signals were asked now', () => {
    const { standing, decision } = screened(degraded('hold'))
    const { decided, settlement } = again(assessment('hold'), standing, [decision])
    // Now that everything was seen, it ends as its risk class says.
    const hold = { until: decision.hold?.until, onDeadline: 'allow' }
    expect(decision.hold?.onDeadline).toBe('block')
    expect(decided).toMatchObject([{ outcome: 'hold', degraded: false, caseId: decision.caseId, hold }])
    expect(settlement.cases).toMatchObject([{ change: 'carry', openedBy: null, dueAt: decision.hold?.until }])
    expect(settlement.standings).toMatchObject([{ holdUntil: decision.hold?.until }])
  })

  it('never decides better than hold what was edited while it was held', () => {
    const first = screened(assessment('block'))
    const second = screened(degraded('allow'), first.standing, 2)
    expect(second.decision.outcome).toBe('hold')
    const { decided } = again(assessment('allow'), second.standing, [second.decision], { revision: 2 })
    expect(decided).toMatchObject([{ outcome: 'hold', hold: { onDeadline: 'block' }, caseId: first.decision.caseId }])
    expect(decided[0]?.reasons.map((r) => r.code)).toContain('earlier-revision-in-review')
  })

  it('goes on with a sample that a person is to look at', () => {
    const { standing, decision } = screened(degraded('allow'))
    const drawn = { ...standing, caseId: 'sample' }
    const { decided, settlement } = again(assessment('allow'), drawn, [{ ...decision, caseId: 'sample', audit: true }])
    expect(decided).toMatchObject([{ outcome: 'allow', caseId: 'sample', audit: true }])
    expect(settlement.cases).toMatchObject([{ change: 'carry', dueAt: null, openedBy: null }])
    expect(settlement.standings).toMatchObject([{ caseId: 'sample', holdUntil: null }])
  })
})
