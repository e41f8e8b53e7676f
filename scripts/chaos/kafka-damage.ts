// A small world in which everything ended as it should, and the same with one thing wrong: what the count must find.
import type { World } from './kafka-count.ts'
import { SENT_AS, SENT_NO, type TopicRecord } from './kafka-foresee.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Puts records at the ends of their partitions, with the headers that the publisher gives. */
function topicOf(records: readonly Omit<TopicRecord, 'offset'>[], positions: boolean): TopicRecord[] {
  const ends = new Map<number, number>()
  return records.map((record) => {
    const offset = ends.get(record.partition) ?? 0
    ends.set(record.partition, offset + 1)
    const headers = positions
      ? [...record.headers, ['touchstone-position', base64(String(offset + 1))] as const]
      : record.headers
    return { ...record, offset, headers }
  })
}

let sent = 0
function input(partition: number, as: string, data: unknown): Omit<TopicRecord, 'offset'> {
  const value = typeof data === 'string' ? data : JSON.stringify(data)
  return {
    partition,
    key: base64('k'),
    value: data === null ? null : base64(value),
    headers: [
      [SENT_AS, base64(as)],
      [SENT_NO, base64(String((sent += 1)))],
    ],
  }
}
const listing = (listingId: string, revision: number, title = 'A chair') => ({ listingId, revision, title })

type Event = Omit<TopicRecord, 'offset'>
const decided = (
  partition: number,
  listingId: string,
  revision: number,
  sequence: number,
  stage = 'screening',
): Event => ({
  partition,
  key: base64(listingId),
  value: base64(
    JSON.stringify({ decisionId: `${listingId}-${revision}-${sequence}`, listingId, revision, sequence, stage }),
  ),
  headers: [],
})
const refused = (partition: number, listingId: string, revision: number, code: string): Event => ({
  partition,
  key: base64(listingId),
  value: base64(JSON.stringify({ listingId, revision, code })),
  headers: [['ce_id', base64(`${listingId} ${revision} ${code}`)]],
})
function letter(original: TopicRecord): Event {
  const place = (name: string, value: number) => [`touchstone-error-${name}`, base64(String(value))] as const
  return {
    ...original,
    headers: [...original.headers, place('partition', original.partition), place('offset', original.offset)],
  }
}

const LISTINGS = topicOf(
  [
    input(0, 'listing', listing('A', 1)),
    input(0, 'listing', listing('A', 1)),
    input(0, 'listing', listing('A', 1, 'Another')),
    input(0, 'listing', listing('A', 3)),
    input(0, 'listing', listing('A', 2)),
    input(0, 'listing', listing('B', 1)),
    input(0, 'withdrawal', listing('B', 2)),
    input(0, 'listing', listing('B', 2)),
    input(0, 'unreadable', 'not JSON'),
    input(0, 'invalid', listing('C', 1)),
    input(1, 'listing', listing('D', 1)),
    input(1, 'listing', listing('D', 2)),
    input(1, 'unreadable', null),
  ],
  false,
)
const DECISIONS = [
  decided(0, 'A', 1, 1),
  refused(0, 'A', 1, 'revision-reused'),
  decided(0, 'A', 3, 2),
  refused(0, 'A', 2, 'superseded'),
  decided(0, 'B', 1, 1),
  refused(0, 'B', 2, 'withdrawn'),
  refused(0, 'C', 1, 'invalid'),
  decided(1, 'D', 1, 1),
  decided(1, 'D', 2, 2),
]
const LETTERS = [8, 12].map((at) => letter(LISTINGS[at] as TopicRecord))

/** The world as it should be, with other decisions or dead letters in their topics where given. */
function worldWith(change: { decisions?: readonly Event[]; deadLetters?: readonly Event[] } = {}): World {
  const decisions = topicOf(change.decisions ?? DECISIONS, true)
  const deadLetters = topicOf(change.deadLetters ?? LETTERS, true)
  const heads = (topic: 'decisions' | 'deadLetters', records: readonly TopicRecord[]) =>
    [0, 1].map((partition) => {
      const head = records.filter((record) => record.partition === partition).length
      return { topic, partition, head, tail: head }
    })
  const row = (listingId: string, revision: number, sequence: number) => ({
    listingId,
    revision,
    sequence,
    decisionId: `${listingId}-${revision}-${sequence}`,
  })
  return {
    listings: LISTINGS,
    decisions,
    deadLetters,
    acknowledged: LISTINGS.map((_, i) => i + 1),
    tables: {
      decisions: [row('A', 1, 1), row('A', 3, 2), row('B', 1, 1), row('D', 1, 1), row('D', 2, 2)],
      refusals: [
        { partition: 0, offset: 2, listingId: 'A', code: 'revision-reused' },
        { partition: 0, offset: 4, listingId: 'A', code: 'superseded' },
        { partition: 0, offset: 7, listingId: 'B', code: 'withdrawn' },
        { partition: 0, offset: 9, listingId: 'C', code: 'invalid' },
      ],
      offsets: [
        { partition: 0, next: 10, end: 10 },
        { partition: 1, next: 3, end: 3 },
      ],
      positions: [...heads('decisions', decisions), ...heads('deadLetters', deadLetters)],
    },
  }
}

export const WHOLE: World = worldWith()

const swap = (events: readonly Event[], a: number, b: number): Event[] =>
  events.map((event, i) => (i === a ? events[b] : i === b ? events[a] : event) as Event)
const tables = (change: Partial<World['tables']>): World => ({ ...WHOLE, tables: { ...WHOLE.tables, ...change } })
const at = <T>(list: readonly T[], i: number): T => list.at(i) as T

export interface Damage {
  readonly name: string
  /** Under which figure the count must show it. */
  readonly found: 'lost' | 'doubled' | 'outOfOrder' | 'disagreeing'
  readonly world: World
}

// Positions are given anew wherever a record is taken away or added: what is found must be found in the ends themselves.
export const DAMAGES: readonly Damage[] = [
  { name: 'a decision is lost', found: 'lost', world: worldWith({ decisions: DECISIONS.toSpliced(2, 1) }) },
  { name: 'the last decision is lost', found: 'lost', world: worldWith({ decisions: DECISIONS.slice(0, -1) }) },
  { name: 'a refusal is lost', found: 'lost', world: worldWith({ decisions: DECISIONS.toSpliced(6, 1) }) },
  { name: 'a dead letter is lost', found: 'lost', world: worldWith({ deadLetters: LETTERS.slice(1) }) },
  {
    name: 'an acknowledged record is lost',
    found: 'lost',
    world: { ...WHOLE, acknowledged: [...WHOLE.acknowledged, 99] },
  },
  {
    name: 'a decision is doubled',
    found: 'doubled',
    world: worldWith({ decisions: [...DECISIONS, at(DECISIONS, 0)] }),
  },
  {
    name: 'a repeat is decided again',
    found: 'doubled',
    world: worldWith({ decisions: [...DECISIONS, decided(0, 'A', 1, 3)] }),
  },
  { name: 'a refusal is doubled', found: 'doubled', world: worldWith({ decisions: [...DECISIONS, at(DECISIONS, 1)] }) },
  {
    name: 'a dead letter is doubled',
    found: 'doubled',
    world: worldWith({ deadLetters: [...LETTERS, at(LETTERS, 0)] }),
  },
  { name: 'two decisions are swapped', found: 'outOfOrder', world: worldWith({ decisions: swap(DECISIONS, 7, 8) }) },
  {
    name: 'a decision and a refusal are swapped',
    found: 'outOfOrder',
    world: worldWith({ decisions: swap(DECISIONS, 0, 1) }),
  },
  {
    name: 'a position is skipped',
    found: 'outOfOrder',
    world: {
      ...WHOLE,
      decisions: WHOLE.decisions.map((record, i) =>
        i === 8 ? { ...record, headers: [['touchstone-position', base64('3')]] } : record,
      ),
    },
  },
  {
    name: 'something that was never sent is decided',
    found: 'disagreeing',
    world: worldWith({ decisions: [...DECISIONS, decided(1, 'E', 1, 1)] }),
  },
  {
    name: 'a dead letter is changed',
    found: 'disagreeing',
    world: worldWith({ deadLetters: [{ ...at(LETTERS, 0), value: base64('not json') }, at(LETTERS, 1)] }),
  },
  {
    name: 'a header of a dead letter is gone',
    found: 'disagreeing',
    world: worldWith({
      deadLetters: [{ ...at(LETTERS, 0), headers: at(LETTERS, 0).headers.slice(1) }, at(LETTERS, 1)],
    }),
  },
  {
    name: 'the topic has what the table has not',
    found: 'disagreeing',
    world: tables({ decisions: WHOLE.tables.decisions.slice(1) }),
  },
  { name: 'a refusal has no row', found: 'disagreeing', world: tables({ refusals: WHOLE.tables.refusals.slice(1) }) },
  {
    name: 'a partition is not read to its end',
    found: 'disagreeing',
    world: tables({ offsets: [{ partition: 0, next: 9, end: 10 }] }),
  },
  {
    name: 'the outbox is not empty',
    found: 'disagreeing',
    world: tables({ positions: [{ topic: 'decisions', partition: 1, head: 2, tail: 1 }] }),
  },
]
