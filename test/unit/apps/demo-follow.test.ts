// What the follower makes of a feed, dead letters and answers that come in any order; the store and the log are stand-ins.
import { describe, expect, it } from 'vitest'
import { follow } from '../../../src/apps/demo/follow.ts'
import { Ledger, type Played } from '../../../src/apps/demo/ledger.ts'
import type { Row } from '../../../src/apps/demo/story.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import { topicNames } from '../../../src/events/topics.ts'
import type { LogRecord } from '../../../src/pipeline/log/ports.ts'
import type { FeedEntry, RecordEnd } from '../../../src/pipeline/ports.ts'

const topics = topicNames('t')

const decision = (listingId: string, more: Partial<Decision> = {}): Decision => ({
  decisionId: '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb',
  listingId,
  revision: 1,
  sequence: 1,
  contentHash: '0'.repeat(64),
  sellerId: 's',
  submittedAt: '2026-01-01T00:00:00Z',
  decidedAt: '2026-01-01T00:00:00Z',
  stage: 'screening',
  outcome: 'allow',
  risk: 0.02,
  riskClass: 'low',
  brandIds: [],
  reasons: [],
  base: -3.9,
  signals: [],
  rules: [],
  policy: { policyId: 'default', version: 1 },
  models: {},
  degraded: false,
  audit: false,
  ...more,
})

async function scene() {
  const ledger = new Ledger()
  const feed: FeedEntry[] = []
  const letters: LogRecord[] = []
  const answers = new Map<string, RecordEnd[]>()
  const ended: string[] = []
  const later: string[] = []
  const follower = await follow({
    run: 'D1',
    ledger,
    topics,
    group: 'g',
    log: {
      ranges: async () => [{ partition: 0, low: 0n, high: BigInt(letters.length) }],
      read: async (_topic, _partition, from, max) => letters.slice(Number(from), Number(from) + max),
    },
    reader: {
      recent: async () => ({ entries: [], next: String(feed.length) }),
      feed: async (after, limit) => {
        const entries = feed.slice(Number(after), Number(after) + limit)
        return { entries, next: String(Number(after) + entries.length) }
      },
      endOf: async (_group, _topic, { offset }) => answers.get(String(offset))?.shift() ?? { kind: 'pending' },
    },
    onEnd: (played, end) => ended.push(`${played.row.story}: ${end.kind}`),
    onLater: (d) => later.push(`${d.listingId} ${d.stage}`),
  })
  const send = (story: string, row: Partial<Row>, offset?: bigint): Played => {
    const played = ledger.sending({ story, expect: 'allow', ...row } as Row, 'D1')
    if (offset !== undefined) ledger.appended(played, { partition: 0, offset })
    return played
  }
  const decided = (d: Decision) => feed.push({ cursor: '', type: 'touchstone.listing.decided.v1', data: d })
  return { ledger, feed, letters, answers, ended, later, follower, send, decided }
}

const submitted = (listingId: string): Partial<Row> => ({
  event: 'listing.submitted',
  data: { listingId, revision: 1 },
})
const withdrawn = (listingId: string): Partial<Row> => ({
  event: 'listing.withdrawn',
  data: { listingId, revision: 1 },
})

const letter = (partition: number, offset: bigint): LogRecord => ({
  key: null,
  value: null,
  offset: 0n,
  appendedAt: new Date(),
  headers: Object.fromEntries(
    Object.entries({
      code: 'not-json',
      message: 'no',
      topic: topics.listings,
      partition: String(partition),
      offset: String(offset),
    }).map(([k, v]) => [`touchstone-error-${k}`, Buffer.from(v)]),
  ),
})

describe('the follower', () => {
  it('takes a decision that comes before the log has answered the append', async () => {
    const { follower, send, decided, ended } = await scene()
    send('lamp', submitted('lamp'))
    decided(decision('D1-lamp'))
    await follower.look()
    expect(ended).toEqual(['lamp: decided'])
  })

  it('keeps a dead letter that comes before the log has answered the append', async () => {
    const { follower, ledger, letters, send, ended } = await scene()
    const played = send('noise', { event: 'raw', text: 'noise' })
    letters.push(letter(0, 5n))
    await follower.look()
    expect(ended).toEqual([])
    ledger.appended(played, { partition: 0, offset: 5n })
    await follower.look()
    await follower.look()
    expect(ended).toEqual(['noise: dead-letter'])
  })

  it('passes over decisions of other listings and other plays, and tells later decisions of ours apart', async () => {
    const { follower, send, decided, ended, later } = await scene()
    send('lamp', submitted('lamp'))
    decided(decision('D10-lamp'))
    decided(decision('X-1'))
    decided(decision('D1-lamp'))
    decided(decision('D1-lamp', { stage: 'deadline', sequence: 2 }))
    await follower.look()
    expect([ended, later]).toEqual([['lamp: decided'], ['D1-lamp deadline']])
  })

  it('calls the second of two equal records the duplicate, once the gate has passed it', async () => {
    const { follower, send, decided, answers, ended } = await scene()
    send('first', submitted('lamp'), 0n)
    send('second', submitted('lamp'), 1n)
    answers.set('1', [{ kind: 'pending' }, { kind: 'decided', decision: decision('D1-lamp'), contentHash: '' }])
    decided(decision('D1-lamp'))
    await follower.look()
    expect(ended).toEqual(['first: decided'])
    await follower.look()
    expect(ended).toEqual(['first: decided', 'second: duplicate'])
  })

  it('never takes the second withdrawal for the first, though the gate passes both between two questions', async () => {
    const { follower, send, answers, ended } = await scene()
    send('first', withdrawn('lamp'), 0n)
    send('second', withdrawn('lamp'), 1n)
    answers.set('0', [{ kind: 'pending' }, { kind: 'gone' }])
    answers.set('1', [{ kind: 'gone' }, { kind: 'gone' }])
    await follower.look()
    await follower.look()
    expect(ended).toEqual(['first: withdrawn', 'second: duplicate'])
  })
})
