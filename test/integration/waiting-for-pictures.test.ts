// Listings beside one whose host is silent, when their worker dies between two commits. Real: screening and the store on PostgreSQL; made up: pictures.
import { expect, onTestFinished, test } from 'vitest'
import { topicNames } from '../../src/events/topics.ts'
import type { Gate } from '../../src/pipeline/assess.ts'
import type { Batch } from '../../src/pipeline/log/ports.ts'
import { createScreening } from '../../src/pipeline/screening.ts'
import { imageHash } from '../../src/signals/image-hash/signal.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { GROUP, INPUT } from '../contracts/store-samples.ts'
import { startPostgresStore } from './store-on-postgres.ts'
import { plainGate } from '../support/plain-gate.ts'

const STRUCTURED = { 'content-type': Buffer.from('application/cloudevents+json') }
const topics = { ...topicNames('test'), listings: INPUT }

const sent = (listingId: string, revision: number, more: object = {}) =>
  JSON.stringify({ listingId, revision, sellerId: 'S', title: 'chair', ...more })
const withdrawn = (listingId: string, revision: number, marketplace?: string) =>
  JSON.stringify({
    specversion: '1.0',
    id: 'w',
    source: 'test',
    type: 'touchstone.listing.withdrawn.v1',
    data: { listingId, revision, marketplace },
  })
const slow = { images: [{ url: 'https://silent.example/1.jpg' }] }

function batchOf(values: readonly string[]): Batch {
  const end = BigInt(values.length)
  const records = values.map((value, i) => ({
    offset: BigInt(i),
    appendedAt: new Date(),
    key: null,
    value: Buffer.from(value),
    headers: value.includes('specversion') ? STRUCTURED : {},
  }))
  return { topic: INPUT, partition: 0, from: 0n, next: end, end, records }
}

test('what was decided ahead is known when it comes again, whatever is behind it, what would be told twice is told once, and a late worker changes nothing', async () => {
  const shared = await startPostgresStore()
  onTestFinished(() => shared.close())
  const worker = async (signals: readonly Signal[] = []) => {
    const node = await shared.node()
    const answer = Promise.withResolvers<void>()
    const gate: Gate = {
      ...plainGate(signals),
      pictures: { look: () => answer.promise.then(() => []), keep: () => Promise.resolve(undefined) },
    }
    const decided: string[] = []
    const screen = createScreening({
      store: node.store,
      gate: () => gate,
      topics,
      group: GROUP,
      draw: () => false,
      telemetry: createTelemetry({ level: 'silent' }),
      maxListingBytes: 10_000,
      maxDeadLetterBytes: 1 << 20,
      isDataError: () => false,
      decided: (tally) => decided.push(...tally.decided.map((one) => `${one.listingId} ${one.revision}`)),
    })
    return { node, screen, decided, answer: () => answer.resolve() }
  }
  // Of another version, or with other brands: what was decided before is nothing that it could fail on.
  const fails: Signal = {
    ...imageHash,
    evaluate({ listingId }) {
      if (listingId === 'B') throw new Error('a bug of ours')
      return { state: 'abstained', evidence: {} }
    },
  }
  const [first, second] = [await worker(), await worker([fails])]
  await first.node.store.place(GROUP, INPUT, 0, 0n)
  const batch = batchOf([
    sent('A', 2),
    sent('Slow', 1, slow),
    'no listing',
    sent('A', 1),
    sent('B', 1),
    sent('Slow', 2),
    sent('A', 3),
    sent('C', 1, { marketplace: 'north' }),
    sent('D', 1),
    withdrawn('D', 1),
    sent('C', 2, { marketplace: 'south' }),
    withdrawn('C', 1, 'south'),
    withdrawn('E', 4),
    sent('C', 3, { marketplace: 'north' }),
  ])
  const lane = Promise.withResolvers<void>()
  const dying = first.screen(batch, new AbortController().signal, () => lane.resolve())
  await lane.promise
  await expect.poll(() => first.decided).toEqual(['A 2', 'B 1', 'C 1', 'D 1'])
  // Its offset stands at the lowest that is left: what lies below is settled for good.
  const from = await second.node.store.place(GROUP, INPUT, 0, 0n)
  expect(from).toBe(1n)
  expect(await second.node.reader.decided([{ listingId: 'B', revision: 1, contentHash: 'another' }])).toEqual([])

  second.answer()
  const again = { ...batch, from, records: batch.records.slice(1) }
  expect(await second.screen(again, new AbortController().signal)).toBe('committed')
  expect(second.decided).toEqual(['Slow 1', 'Slow 2', 'A 3', 'C 3'])
  first.answer()
  expect(await dying).toBe('moved')

  expect(await second.node.store.place(GROUP, INPUT, 0, 0n)).toBe(14n)
  const { rows } = await first.node.database.reading.query<{ name: string; body: { contentHash: string } }>(
    `select listing_id || ' ' || revision || ' ' || sequence as name, body from decision order by name`,
  )
  expect(rows.map(({ name }) => name)).toEqual([
    'A 2 1',
    'A 3 2',
    'B 1 1',
    'C 1 1',
    'C 3 2',
    'D 1 1',
    'Slow 1 1',
    'Slow 2 2',
  ])
  const refusals = await first.node.database.reading.query<{ name: string }>(
    `select listing_id || ' ' || (body->>'code') as name from refusal order by name`,
  )
  expect(refusals.rows.map(({ name }) => name)).toEqual([
    'A superseded',
    'C marketplace-mismatch',
    'C marketplace-mismatch',
  ])
  const withdrawals = await first.node.database.reading.query<{ name: string }>(
    `select listing_id || ' ' || withdrawn_revision as name from listing where withdrawn_revision > 0 order by name`,
  )
  expect(withdrawals.rows.map(({ name }) => name)).toEqual(['D 1', 'E 4'])
  expect(await first.node.waitingFor(topics.deadLetters)).toBe(1)
  expect(await first.node.waitingFor(topics.decisions)).toBe(11)
  const b = { listingId: 'B', revision: 1, contentHash: rows[2]?.body.contentHash ?? '' }
  expect(await first.node.reader.decided([{ ...b, listingId: 'C' }, b])).toEqual([b])
})
