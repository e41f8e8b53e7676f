// One listing's row as the store would keep it between batches that are settled: for tests of what a record means.
import { expect } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import { topicNames } from '../../../src/events/topics.ts'
import type { Standing } from '../../../src/pipeline/ports.ts'
import { settle, type Tried, type TriedRecord } from '../../../src/pipeline/settle.ts'
import { settleDeadlines } from '../../../src/pipeline/deadlines.ts'
import { assessment, listingOf } from './assessments.ts'

export const TOPICS = topicNames('touchstone')
export const NOW = new Date('2026-01-01T00:00:00Z')

export const submitted = (
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
export const withdrawn = (revision: number): Tried => ({
  kind: 'ok',
  value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision } },
})

/** Settles batches one after the other, keeping the listing's row as the store would. */
export function gate() {
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
export const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1)
  return list[0] as T
}
