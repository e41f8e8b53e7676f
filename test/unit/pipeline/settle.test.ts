// What a record means for its listing. Real: settle and the wire format; made up: the assessments.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import { headerValues, lastHeader } from '../../../src/events/header.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'
import type { Headers } from '../../../src/pipeline/log/ports.ts'
import type { Tried } from '../../../src/pipeline/settle.ts'
import { assessment } from './assessments.ts'
import { gate, NOW, only, submitted, TOPICS, withdrawn } from './settled.ts'

const textsOf = (headers: Headers) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      headerValues(value).map((one) => (one === null ? null : Buffer.from(one).toString())),
    ]),
  )

describe('settling a batch', () => {
  it('names decisions so that anyone can compute the id again', () => {
    expect(decisionId('L-1', 1, 1)).toBe('6d7e4bce-ad2b-5c38-9af1-f764ecc399eb')
  })

  it('decides a listing once, and writes nothing for the same content sent again', () => {
    const g = gate()
    const first = g.settle(submitted(1, 'allow'), submitted(1, 'allow'))
    expect(only(first.decisions)).toMatchObject({ revision: 1, sequence: 1, stage: 'screening', outcome: 'allow' })
    expect(first.tally.duplicates).toBe(1)
    const again = g.settle(submitted(1, 'allow'))
    expect(again.tally).toMatchObject({ duplicates: 1, decided: [] })
    expect(again.settlement).toMatchObject({ standings: [], outbox: [], decisions: [] })
  })

  it('refuses the same revision with other content, and a revision below the highest decided', () => {
    const g = gate()
    g.settle(submitted(2, 'allow'))
    const { settlement, tally } = g.settle(submitted(2, 'allow', 'f'.repeat(64)), submitted(1, 'allow'))
    expect(tally.refused).toEqual(['revision-reused', 'superseded'])
    expect(settlement.refusals.map((r) => r.refusal.path)).toEqual(['/revision', '/revision'])
    expect(settlement.outbox.map((o) => o.topic)).toEqual([TOPICS.decisions, TOPICS.decisions])
    expect(g.row()?.revision).toBe(2)
  })

  it('holds with a case and a deadline, blocks with a case and none', () => {
    const held = only(gate().settle(submitted(1, 'hold')).decisions)
    expect(held.hold).toEqual({ until: '2026-01-02T00:00:00.000Z', onDeadline: 'allow' })
    expect(held.caseId).toBeDefined()
    const g = gate()
    const blocked = only(g.settle(submitted(1, 'block')).decisions)
    expect(blocked.hold).toBeUndefined()
    expect(blocked.caseId).toBeDefined()
    expect(g.row()?.outcome).toBe('block')
  })

  it.each(['hold', 'block'] as const)(
    'never decides an edit of a listing that stands as %s better than hold; its case carries over',
    (outcome) => {
      const g = gate()
      const before = only(g.settle(submitted(1, outcome)).decisions)
      const { decisions, settlement } = g.settle(submitted(2, 'allow'))
      const edited = only(decisions)
      expect(edited).toMatchObject({ outcome: 'hold', sequence: 2, caseId: before.caseId })
      // Nobody has looked when the deadline passes, so it must not let the edit through.
      expect(edited.hold?.onDeadline).toBe('block')
      expect(edited.reasons.map((r) => r.code)).toContain('earlier-revision-in-review')
      expect(only(settlement.cases).change).toBe('carry')
      expect(g.deadline(edited).decided.map((d) => d.outcome)).toEqual(['block'])
      expect(only(g.settle(submitted(3, 'allow')).decisions).outcome).toBe('hold')
    },
  )

  it('of several edits in one batch keeps every brand that was asked', () => {
    const about = (revision: number, outcome: Outcome, brandId: string): Tried => {
      const tried = submitted(revision, outcome)
      if (tried.kind !== 'ok' || tried.value.kind !== 'listing') throw new Error('it is a listing')
      return { ...tried, value: { ...tried.value, assessment: { ...assessment(outcome), brandIds: [brandId] } } }
    }
    const edits = [about(1, 'block', 'gucci'), about(2, 'hold', 'rolex'), withdrawn(2), about(3, 'allow', 'puma')]
    const { decisions, settlement } = gate().settle(...edits)
    expect(decisions.map((d) => d.brandIds)).toEqual([['gucci'], ['rolex', 'gucci'], ['puma', 'rolex', 'gucci']])
    expect(settlement.cases.map((c) => c.change)).toEqual(['open', 'carry', 'withdrawn', 'carry'])
    // What was on sale is about what it names.
    const sold = gate().settle(about(1, 'allow', 'gucci'), about(2, 'hold', 'rolex'))
    expect(sold.decisions.map((d) => d.brandIds)).toEqual([['gucci'], ['rolex']])
  })

  it('does not wash a held listing by withdrawing it', () => {
    const g = gate()
    g.settle(submitted(1, 'hold'))
    const { settlement, tally } = g.settle(withdrawn(1), withdrawn(1))
    expect(tally).toMatchObject({ withdrawals: 1, duplicates: 1 })
    expect(only(settlement.cases).change).toBe('withdrawn')
    expect(settlement.decisions).toEqual([])
    expect(g.row()).toMatchObject({ caseId: null, holdUntil: null, withdrawnRevision: 1 })
    const back = g.settle(submitted(1, 'hold'), submitted(2, 'allow'))
    expect(back.tally).toMatchObject({ duplicates: 1 })
    expect(only(back.decisions)).toMatchObject({ outcome: 'hold', revision: 2 })
    // The same case, with what was held: withdrawing first takes no more out of it than an edit.
    const { caseId, dueAt, ...change } = only(back.settlement.cases)
    expect(change).toMatchObject({ change: 'carry', revision: 2, openedBy: null })
    expect([caseId, dueAt]).toEqual([only(settlement.cases).caseId, only(back.decisions).hold?.until])
    expect(only(back.decisions).caseId).toBe(caseId)
    expect(g.row()).toMatchObject({ caseId, withdrawnCaseId: null })
  })

  it('takes a withdrawal that overtook its listing', () => {
    const g = gate()
    expect(g.settle(withdrawn(2)).tally.withdrawals).toBe(1)
    expect(g.settle(submitted(2, 'allow'), submitted(1, 'allow')).tally.refused).toEqual(['withdrawn', 'withdrawn'])
    expect(only(g.settle(submitted(3, 'allow')).decisions).outcome).toBe('allow')
    expect(g.settle(withdrawn(1)).tally.duplicates).toBe(1)
  })

  it('refuses a withdrawal of a revision that was edited since', () => {
    const g = gate()
    g.settle(submitted(2, 'allow'))
    expect(g.settle(withdrawn(1)).tally.refused).toEqual(['superseded'])
  })

  it('lets a deadline that allows close the case, and screens the next edit afresh', () => {
    const g = gate()
    const held = only(g.settle(submitted(1, 'hold')).decisions)
    const { decided, settlement } = g.deadline(held)
    expect(only(decided)).toMatchObject({ stage: 'deadline', outcome: 'allow', sequence: 2, revision: 1 })
    expect(only(decided).hold).toBeUndefined()
    expect(only(settlement.cases).change).toBe('released')
    expect(only(g.settle(submitted(2, 'allow')).decisions)).toMatchObject({ outcome: 'allow', sequence: 3 })
  })

  it('sends what could not be read to the dead letters with its own bytes and headers', () => {
    const { settlement, tally } = gate().settle({
      kind: 'deadLetter',
      code: 'not-json',
      message: 'line 1 \ud800',
      stage: 'decode',
      attempts: 1,
    })
    expect(tally.deadLetters).toEqual(['not-json'])
    const row = only(settlement.outbox)
    expect(row).toMatchObject({
      topic: TOPICS.deadLetters,
      key: Buffer.from('L-1'),
      value: Buffer.from('original bytes'),
    })
    expect(textsOf(row.headers)).toEqual({
      mine: ['x'],
      missing: [null],
      // What an earlier dead letter said of the same record stays; the last value is ours.
      'touchstone-error-code': ['old', null, 'not-json'],
      'touchstone-error-stage': ['before', 'decode'],
      'touchstone-error-message': ['line 1 \ufffd'],
      'touchstone-error-topic': [TOPICS.listings],
      'touchstone-error-partition': ['3'],
      'touchstone-error-offset': ['0'],
      'touchstone-error-time': [NOW.toISOString()],
      'touchstone-error-attempts': ['1'],
    })
    expect(Buffer.from(lastHeader(row.headers, 'touchstone-error-code') ?? []).toString()).toBe('not-json')
  })

  it('ends every record in exactly one way, whatever comes in whatever batches; screens a revision at most once; sequences are dense', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('submit' as const),
        revision: fc.integer({ min: 1, max: 5 }),
        outcome: fc.constantFrom<Outcome>('allow', 'hold', 'block'),
        hash: fc.constantFrom('a', 'b'),
      }),
      fc.record({ kind: fc.constant('withdraw' as const), revision: fc.integer({ min: 1, max: 5 }) }),
    )
    fc.assert(
      fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 8 }), (batches) => {
        const g = gate()
        const decisions: Decision[] = []
        for (const batch of batches) {
          const before = g.row()
          const { tally, decisions: made } = g.settle(
            ...batch.map((s) =>
              s.kind === 'withdraw' ? withdrawn(s.revision) : submitted(s.revision, s.outcome, s.hash.repeat(64)),
            ),
          )
          expect(
            tally.decided.length +
              tally.refused.length +
              tally.deadLetters.length +
              tally.duplicates +
              tally.withdrawals,
          ).toBe(batch.length)
          let standing = before?.outcome ?? null
          for (const d of made) {
            if (standing === 'hold' || standing === 'block') expect(d.outcome).not.toBe('allow')
            standing = d.outcome
          }
          decisions.push(...made)
        }
        expect(decisions.map((d) => d.sequence)).toEqual(decisions.map((_, i) => i + 1))
        const revisions = decisions.map((d) => d.revision)
        expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
      }),
    )
  })
})
