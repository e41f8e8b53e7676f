// What the watch of the banks hears: decided listings, after their commit. Real: screening, gate, image-hash, banks; made up: pictures and store.
import { expect, it } from 'vitest'
import { topicNames } from '../../../src/events/topics.ts'
import type { Gate } from '../../../src/pipeline/assess.ts'
import { createBankEntries } from '../../../src/pipeline/banks/entries.ts'
import type { Batch } from '../../../src/pipeline/log/ports.ts'
import type { GateStore } from '../../../src/pipeline/ports.ts'
import { createScreening } from '../../../src/pipeline/screening.ts'
import { imageHash } from '../../../src/signals/image-hash/signal.ts'
import { createTelemetry } from '../../../src/telemetry.ts'
import { bank, hash, image, seen } from './banks/samples.ts'
import { plainGate } from '../../support/plain-gate.ts'

const topics = topicNames('t')

it('a listing once, when it is decided: not one that is refused, sent twice, or of a batch that is not ours any more', async () => {
  const entries = createBankEntries()
  entries.putBank(bank('fakes'))
  entries.put(image('x', 'fakes', hash('x')))
  const gate: Gate = {
    ...plainGate([imageHash]),
    banks: { size: 1, against: 1, change: 1n, match: (picture) => entries.match(picture) },
    pictures: { look: () => Promise.resolve([seen(hash('x'))]), keep: () => Promise.resolve(undefined) },
  }
  const { imageId } = image('x', 'fakes', hash('x'))
  const told: unknown[] = []
  let committed: 'committed' | 'moved' = 'moved'
  const store: Pick<GateStore, 'commit'> = {
    commit(_span, _wanted, settle) {
      // As a store that had to begin its transaction again.
      settle(new Map(), new Date())
      settle(new Map(), new Date())
      expect(told).toEqual([])
      return Promise.resolve(committed)
    },
  }
  const line = (listingId: string, revision: number, title: string, marketplace = 'demo') => ({
    offset: 0n,
    appendedAt: new Date(),
    key: Buffer.from(listingId),
    value: Buffer.from(
      JSON.stringify({
        listingId,
        revision,
        sellerId: `S-${listingId}`,
        marketplace,
        seller: { createdAt: '2026-01-01T00:00:00Z' },
        title,
        images: [{ url: 'https://shop.example/1.jpg' }],
      }),
    ),
    headers: {},
  })
  const records = [
    line('A', 2, 'decided'),
    line('A', 2, 'decided'),
    line('A', 2, 'the same revision with other words'),
    line('A', 1, 'below the one that is decided'),
    line('B', 1, 'decided'),
    line('B', 2, 'refused: of another marketplace', 'other'),
    line('B', 2, 'decided'),
  ].map((record, i) => ({ ...record, offset: BigInt(i) }))
  const batch: Batch = { topic: topics.listings, partition: 0, from: 0n, next: 7n, end: 7n, records }
  const screen = createScreening({
    store: store as GateStore,
    gate: () => gate,
    topics,
    group: 'g',
    draw: () => false,
    telemetry: createTelemetry({ level: 'silent' }),
    maxListingBytes: 10_000,
    maxDeadLetterBytes: 1 << 20,
    isDataError: () => false,
    matched: ({ marketplace, sellerId, seller }, matches) =>
      told.push([marketplace, sellerId, seller?.createdAt, matches.map((match) => match.imageId)]),
  })
  const { signal } = new AbortController()
  await screen(batch, signal)
  expect(told).toEqual([])
  committed = 'committed'
  await screen(batch, signal)
  expect(told).toEqual([
    ['demo', 'S-A', '2026-01-01T00:00:00Z', [imageId]],
    ['demo', 'S-B', '2026-01-01T00:00:00Z', [imageId]],
    ['demo', 'S-B', '2026-01-01T00:00:00Z', [imageId]],
  ])
})
