// Which verdicts become labels. Real: the rules; made up: the revisions and what people said of them.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import { labelsOf } from '../../../src/learning/labels.ts'
import type { JudgedRevision, RecordedVerdict } from '../../../src/learning/ports.ts'
import { decisionOf } from '../api/memory-ports.ts'
import { at, scored } from './labelled.ts'

const first = decisionOf({ signals: [scored('price', 0.3)] })
const second = decisionOf({ decisionId: randomUUID(), sequence: 2, stage: 'rescreen', signals: [scored('price', 0.9)] })
const says = (
  verdictId: string,
  verdict: RecordedVerdict['verdict'],
  more: Partial<RecordedVerdict> = {},
): RecordedVerdict => ({
  verdictId,
  listingId: 'L-1',
  revision: 1,
  decisionId: first.decisionId,
  verdict,
  by: { subject: 'ann', role: 'analyst' },
  at: at(0),
  recordedAt: at(50),
  source: 'review',
  ...more,
})
const judged = (verdicts: RecordedVerdict[], decisions: Decision[] = [first, second]): JudgedRevision => ({
  listing: { listingId: 'L-1', revision: 1, sellerId: 'S-9', title: 'A pair of shoes' },
  sellerId: 'S-9',
  marketplace: 'demo',
  verdicts,
  decisions,
})
const none = () => undefined
const summary = (verdicts: RecordedVerdict[]) =>
  labelsOf(judged(verdicts), none).map((l) => [l.brandId, l.label, l.recordedAt])

test('what was taken back, what nobody could tell and what is about no known decision gives no label', () => {
  expect(summary([says('a', 'confirmed'), says('b', 'cannot-tell', { supersedes: 'a' })])).toEqual([])
  expect(summary([says('a', 'confirmed', { decisionId: randomUUID() })])).toEqual([])
  expect(labelsOf(judged([says('a', 'confirmed')], []), none)).toEqual([])
})

test('a listing whose marketplace has an empty name is of none, as one that names none', () => {
  const [label] = labelsOf({ ...judged([says('a', 'confirmed')]), marketplace: '' }, none)
  expect(label?.marketplace).toBeNull()
})

test('a verdict that replaces another counts in its place, whichever was recorded first', () => {
  const replaced = [says('a', 'confirmed'), says('b', 'rejected', { supersedes: 'a', recordedAt: at(5) })]
  expect(summary(replaced)).toEqual([[null, 'rejected', at(5)]])
  expect(summary(replaced.toReversed())).toEqual([[null, 'rejected', at(5)]])
})

test('each brand has its own label, and of several on one brand confirmed wins, then the later one', () => {
  const several = [
    says('a', 'rejected', { brandId: 'nike', at: at(9), recordedAt: at(9) }),
    says('b', 'confirmed', { brandId: 'nike', at: at(1), recordedAt: at(1) }),
    says('c', 'rejected', { brandId: 'gap', at: at(2), recordedAt: at(2) }),
    says('d', 'rejected', { brandId: 'gap', at: at(3), recordedAt: at(3) }),
  ]
  expect(summary(several)).toEqual([
    ['nike', 'confirmed', at(1)],
    ['gap', 'rejected', at(3)],
  ])
  expect(summary(several.toReversed())).toEqual(summary(several).toReversed())
})

test('its time is when the gate first decided the revision: not when somebody said so, nor when the seller sent it', () => {
  const decidedAt = (minute: number) => ({ decidedAt: at(minute), submittedAt: at(77) })
  const decisions = [
    { ...first, ...decidedAt(3) },
    { ...second, ...decidedAt(40) },
  ]
  const late = says('a', 'confirmed', { decisionId: second.decisionId, at: at(60) })
  expect(labelsOf(judged([late], decisions), none)[0]).toMatchObject({ at: at(3), recordedAt: at(50) })
})

test('the signals are those of the decision that the person looked at, not those of a later one', () => {
  expect(labelsOf(judged([says('a', 'confirmed')]), none)[0]?.signals).toEqual(first.signals)
  const later = says('a', 'confirmed', { decisionId: second.decisionId.toUpperCase() })
  expect(labelsOf(judged([later]), none)[0]?.signals).toEqual(second.signals)
})

test('a listing that was drawn stands for as many as its share says, also when a person has decided since', () => {
  const drawn = (decision: Decision) => (decision.stage === 'screening' ? 0.01 : undefined)
  expect(labelsOf(judged([says('a', 'rejected')]), none)[0]).toMatchObject({ weight: 1, drawn: false })
  expect(labelsOf(judged([says('a', 'rejected', { decisionId: second.decisionId })]), drawn)[0]).toMatchObject({
    weight: 100,
    drawn: true,
  })
})
