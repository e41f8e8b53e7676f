// A listing that was decided while a picture could not be seen is tried again. Real: settling both times; made up: assessments.
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { settleDeadlines } from '../../../src/pipeline/deadlines.ts'
import { mayBeMended, type Assessment } from '../../../src/pipeline/assess.ts'
import type { Standing } from '../../../src/pipeline/ports.ts'
import { settleRescreens } from '../../../src/pipeline/rescreening/settle.ts'
import { settle, type TriedListing } from '../../../src/pipeline/settle.ts'
import { assessment, listingOf } from './assessments.ts'
import { seenPicture } from '../seen-picture.ts'

const topics = topicNames('t')
const NOW = new Date('2026-01-01T00:00:00Z')
const LATER = new Date('2026-01-01T01:00:00Z')
const listing = { ...listingOf('L', 1), images: [{ url: 'https://shop.example/1.jpg' }] }

/** As the policy decides while `fault` keeps a picture from being seen. */
const degraded = (outcome: Outcome, fault: 'timed-out' | 'gone' | 'too-large' = 'timed-out'): Assessment => {
  const whole = assessment(outcome)
  return {
    ...whole,
    answer: { ...whole.answer, degraded: true, seenAlone: 'allow', onDeadline: 'block' },
    passing: fault === 'timed-out',
    late: fault === 'gone',
    pictures: [{ state: 'unseen', fault, message: '' }],
  }
}

const shows = (tried: Assessment, ...sha256s: (string | null)[]): Assessment => ({
  ...tried,
  pictures: sha256s.map((s) => (s === null ? { state: 'unseen', fault: 'timed-out', message: '' } : seenPicture(s))),
})

/** Screens a revision on what stands, and gives what stands then. */
function screened(tried: Assessment, before?: Standing, revision = 1) {
  const value: TriedListing = {
    kind: 'listing',
    listing: { ...listing, revision },
    bound: false,
    contentHash: String(revision).repeat(64).slice(0, 64),
    submittedAt: NOW.toISOString(),
    assessment: tried,
  }
  const record = { offset: 0n, appendedAt: NOW, key: null, value: null, headers: {} }
  const { settlement } = settle(
    [{ record, partition: 0, tried: { kind: 'ok', value } }],
    new Map(before === undefined ? [] : [['L', before]]),
    { topics, topic: 'in', now: NOW, draw: () => false, maxDeadLetterBytes: 1_000 },
  )
  const [row] = settlement.standings
  const [decision] = settlement.decisions
  if (row === undefined || decision === undefined) throw new Error('nothing was decided')
  const { holdUntil: _, ...standing } = row
  return { settlement, decision, standing: { ...standing, hashes: new Map() } satisfies Standing }
}

function again(
  tried: Assessment,
  standing: Standing,
  decisions: readonly Decision[],
  more: { attempts?: number; revision?: number; seen?: (string | null)[]; now?: Date; afterChange?: bigint } = {},
) {
  const { attempts = 1, revision = 1, seen = [], now = LATER, afterChange = 0n } = more
  const kept = [{ ordinal: 0, sha256: 'a' }]
  return settleRescreens(
    [{ listing: { ...listing, revision }, assessment: tried, attempts, seen, afterChange, kept }],
    new Map([['L', { standing, decisions }]]),
    { now, topics },
  )
}

describe('what is tried again', () => {
  it('is what a passing fault degraded, and nothing that waiting cannot mend', () => {
    expect(mayBeMended(degraded('hold'), listing)).toBe(true)
    expect(mayBeMended(degraded('hold', 'too-large'), listing)).toBe(false)
    expect(mayBeMended(assessment('hold'), listing)).toBe(false)
    // Pictures sent inline are not stored: trying again would be trying without them.
    expect(mayBeMended(degraded('hold'), { ...listing, images: [{ data: 'QUJD' }] })).toBe(false)
    expect(screened(degraded('hold')).settlement.rescreens).toEqual([{ listingId: 'L', revision: 1, seen: [null] }])
    expect(screened(shows(degraded('hold'), 'a', null)).settlement.rescreens).toMatchObject([{ seen: ['a', null] }])
    expect(screened(assessment('hold')).settlement.rescreens).toEqual([])
  })
})

describe('trying again', () => {
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
