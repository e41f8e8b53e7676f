// What a record means for its listing. Real: settle and the wire format; made up: the assessments.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import { headerValues, lastHeader } from '../../../src/events/header.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'
import type { Headers } from '../../../src/pipeline/log/ports.ts'
import type { Standing } from '../../../src/pipeline/ports.ts'
import { settle, type Tried, type TriedRecord } from '../../../src/pipeline/settle.ts'
import { settleDeadlines } from '../../../src/pipeline/deadlines.ts'
import { assessment, listingOf } from './assessments.ts'

const TOPICS = topicNames('touchstone')
const NOW = new Date('2026-01-01T00:00:00Z')

const textsOf = (headers: Headers) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      headerValues(value).map((one) => (one === null ? null : Buffer.from(one).toString())),
    ]),
  )

const submitted = (
  revision: number,
  outcome: Outcome,
  hash = `${revision}`.repeat(64).slice(0, 64),
  more: object = {},
): Tried => ({
  kind: 'ok',
  value: {
    kind: 'listing',
    listing: { ...listingOf('L-1', revision), ...more },
    bound: false,
    contentHash: hash,
    submittedAt: NOW.toISOString(),
    assessment: assessment(outcome),
  },
})
const withdrawn = (revision: number): Tried => ({
  kind: 'ok',
  value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision } },
})

/** Settles batches one after the other, keeping the listing's row as the store would. */
function gate() {
  let row: Standing | undefined
  let offset = 0n
  return {
    row: () => row,
    settle(...tried: Tried[]) {
      const records: TriedRecord[] = tried.map((t) => ({
        partition: 3,
        tried: t,
        record: {
          key: Buffer.from('L-1'),
          value: Buffer.from('original bytes'),
          headers: {
            mine: Buffer.from('x'),
            missing: null,
            'touchstone-error-code': [Buffer.from('old'), null],
            'touchstone-error-stage': Buffer.from('before'),
          },
          offset: offset++,
          appendedAt: NOW,
        },
      }))
      const standings = new Map<string, Standing>(row === undefined ? [] : [['L-1', row]])
      const { settlement, tally } = settle(records, standings, {
        topics: TOPICS,
        topic: TOPICS.listings,
        now: NOW,
        draw: () => false,
        maxDeadLetterBytes: 1 << 20,
      })
      const update = settlement.standings[0]
      const hashes = new Map(row?.hashes ?? [])
      for (const r of settlement.revisions) hashes.set(r.listing.revision, r.contentHash)
      if (update !== undefined) row = { ...update, hashes }
      return { settlement, tally, decisions: settlement.decisions }
    },
    deadline(held: Decision) {
      if (row === undefined) throw new Error('nothing stands')
      const result = settleDeadlines([{ standing: row, decision: held }], new Date('2026-01-02T00:00:00Z'), TOPICS)
      const update = result.settlement.standings[0]
      if (update !== undefined) row = { ...update, hashes: row.hashes }
      return result
    },
  }
}
const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1)
  return list[0] as T
}

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

  it('refuses a listing id that another marketplace uses, and keeps the marketplace where a revision names none', () => {
    const g = gate()
    g.settle(submitted(1, 'allow', undefined, { marketplace: 'north' }))
    expect(g.settle(submitted(2, 'allow', undefined, { marketplace: 'south' })).tally.refused).toEqual([
      'marketplace-mismatch',
    ])
    expect(only(g.settle(submitted(2, 'allow')).decisions).marketplace).toBe('north')
  })

  it('lets no key that is bound to a marketplace take over a listing that has none', () => {
    const bound = (revision: number): Tried => {
      const tried = submitted(revision, 'allow', undefined, { marketplace: 'south' })
      if (tried.kind !== 'ok' || tried.value.kind !== 'listing') throw new Error('not a listing')
      return { kind: 'ok', value: { ...tried.value, bound: true } }
    }
    const g = gate()
    g.settle(submitted(1, 'allow'))
    expect(g.settle(bound(2)).tally.refused).toEqual(['marketplace-mismatch'])
    const foreign: Tried = {
      kind: 'ok',
      value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision: 1 }, marketplace: 'south' },
    }
    expect(g.settle(foreign).tally.refused).toEqual(['marketplace-mismatch'])
    expect(gate().settle(bound(1)).tally.decided).toHaveLength(1)
  })

  it('remembers a withdrawal of an unknown id for its own marketplace, and lets it claim nothing', () => {
    const withdraws = (marketplace: string | undefined, revision: number): Tried => ({
      kind: 'ok',
      value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision }, marketplace },
    })
    const north = submitted(1, 'allow', undefined, { marketplace: 'north' })
    for (const stranger of ['south', undefined] as const) {
      const own = gate()
      expect(own.settle(withdraws(stranger, 7)).tally.withdrawals).toBe(1)
      const same = submitted(7, 'allow', undefined, stranger === undefined ? {} : { marketplace: stranger })
      expect(own.settle(same).tally.refused).toEqual(['withdrawn'])
    }

    const g = gate()
    g.settle(withdraws('south', 2_000_000_000))
    expect(only(g.settle(north).decisions)).toMatchObject({ marketplace: 'north', outcome: 'allow' })
    expect(g.row()).toMatchObject({ marketplace: 'north', revision: 1, withdrawnRevision: 0 })
    // Now it is somebody's: who came first with nothing but its id is a stranger to it.
    const more = submitted(2_000_000_001, 'allow', undefined, { marketplace: 'south' })
    expect(g.settle(withdraws('south', 3), more).tally.refused).toEqual([
      'marketplace-mismatch',
      'marketplace-mismatch',
    ])

    // What names no marketplace does not become the listing of whoever guessed its id.
    const unnamed = gate()
    unnamed.settle(withdraws('south', 7))
    const decided = only(unnamed.settle(submitted(1, 'allow')).decisions)
    expect([decided.marketplace, unnamed.row()?.marketplace]).toEqual([undefined, null])

    const both = gate()
    both.settle(withdraws('south', 9))
    expect(both.settle(withdraws('north', 1)).tally.withdrawals).toBe(1)
    expect(both.settle(north).tally.refused).toEqual(['withdrawn'])
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
    expect(only(back.settlement.cases).change).toBe('open')
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
