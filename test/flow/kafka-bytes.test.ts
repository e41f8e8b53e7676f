// What others write to Kafka, byte for byte, and how each record ends. Real: PostgreSQL, Kafka, the whole gate; who writes and who
// counts is the Java client of Kafka.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { topicNames, type TopicNames } from '../../src/events/topics.ts'
import { consumeWithJava, produceWithJava, type ConsumedRecord, type JavaRecord } from '../support/kafka/java.ts'
import { freshTopic, kafkaOrSkip, withAdmin } from '../support/kafka/kafka.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const brokers = kafkaOrSkip() ?? []
const utf8 = (text: string) => Buffer.from(text)
const json = (data: unknown) => utf8(JSON.stringify(data))
const listing = (listingId: string, more: object = {}) => ({
  listingId,
  revision: 1,
  sellerId: 'S-1',
  title: 'A wooden chair',
  ...more,
})
const bare = (listingId: string, more: object = {}): JavaRecord => ({
  key: utf8(listingId),
  value: json(listing(listingId, more)),
})
const ce = (type: string): [string, Buffer][] => [
  ['ce_specversion', utf8('1.0')],
  ['ce_id', utf8('1')],
  ['ce_source', utf8('/shop')],
  ['ce_type', utf8(type)],
]
const SUBMITTED = 'touchstone.listing.submitted.v1'

const text = (base64: string | null | undefined) =>
  typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : null
const header = (record: ConsumedRecord, name: string) => text(record.headers.findLast(([n]) => n === name)?.[1])

/** Headers by name, values in their order: what the log keeps of their order. */
const byName = (headers: readonly (readonly [string, string | null])[]) =>
  new Map(
    Object.entries(Object.groupBy(headers, ([name]) => `.${name}`)).map(([name, all]) => [
      name,
      all?.map(([, v]) => v),
    ]),
  )
const base64 = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('base64'))

interface World {
  readonly t: GateUnderTest
  readonly topics: TopicNames
  send(
    records: Parameters<typeof produceWithJava>[0]['records'],
    how?: Partial<Parameters<typeof produceWithJava>[0]>,
  ): ReturnType<typeof produceWithJava>
  /** What a reader of committed records counts of the topic, once all is decided and published. */
  read(topic: 'decisions' | 'deadLetters'): Promise<ConsumedRecord[]>
}

async function gateOn(
  env: Record<string, string> = {},
  prepare?: (topics: TopicNames) => Promise<void>,
): Promise<World> {
  const prefix = `test-${randomBytes(6).toString('hex')}`
  const topics = topicNames(prefix)
  await prepare?.(topics)
  const t = await startGateUnderTest({ TOUCHSTONE_TOPIC_PREFIX: prefix, ...env }, undefined, brokers)
  return {
    t,
    topics,
    send: (records, how = {}) => produceWithJava({ brokers, topic: topics.listings, records, ...how }),
    async read(topic) {
      await t.settled()
      await t.deadLetters()
      return consumeWithJava({ brokers, topic: topics[topic], isolation: 'read_committed' })
    },
  }
}

const decidedOf = (records: readonly ConsumedRecord[]) =>
  records
    .filter((r) => header(r, 'ce_type') === 'touchstone.listing.decided.v1')
    .map((r) => JSON.parse(text(r.value) ?? '') as Decision)

describe.runIf(brokers.length > 0)('bytes on Kafka', () => {
  let w: World
  beforeAll(async () => {
    w = await gateOn()
  })
  afterAll(async () => {
    await w?.t.stop()
  })

  it('end as dead letters where they cannot be read: key, value and headers as they were, and where they are', async () => {
    const strange: [string, Buffer | null][] = [
      ['twice', utf8('1')],
      ['nothing', null],
      ['twice', null],
      ['constructor', utf8('c')],
      ['__proto__', utf8('p')],
      ['toString', null],
      ['bytes', Buffer.from([0, 255, 128])],
      ['twice', utf8('2')],
      ['touchstone-error-code', utf8('theirs')],
      ['touchstone-position', utf8('7')],
    ]
    const cases: [code: string, record: JavaRecord][] = [
      ['empty', { key: utf8('tombstone'), value: null, headers: strange }],
      ['empty', { key: null, value: null }],
      ['empty', { key: utf8(''), value: utf8('') }],
      ['not-utf8', { key: Buffer.from([255, 0, 254]), value: Buffer.from([123, 34, 255, 34, 125]), headers: strange }],
      ['not-json', { key: utf8('json'), value: utf8('{"listingId":') }],
      ['not-an-object', { key: utf8('list'), value: utf8('[1]') }],
      ['no-identity', { key: utf8('nameless'), value: json({ title: 'x' }) }],
      ['unknown-type', { key: utf8('odd'), value: json(listing('odd')), headers: ce('com.example.other') }],
    ]
    const places = await w.send(cases.map(([, record]) => record))
    const letters = await w.read('deadLetters')
    const seen = letters.map((letter) => {
      const at = {
        partition: Number(header(letter, 'touchstone-error-partition')),
        offset: Number(header(letter, 'touchstone-error-offset')),
      }
      const own = letter.headers.filter(([name]) => name.startsWith('touchstone-')).length
      const i = places.findIndex((place) => place.partition === at.partition && place.offset === at.offset)
      const theirs = cases[i]?.[1].headers ?? []
      const named = byName(letter.headers)
      for (const [name, values] of byName(theirs.map(([n, v]) => [n, base64(v)] as const)))
        expect(named.get(name)?.slice(0, values?.length), name).toEqual(values)
      // Eight of the error, position and store, and what was theirs by those names.
      expect(own).toBe(10 + theirs.filter(([name]) => name.startsWith('touchstone-')).length)
      expect(letter.headers.length - own).toBe(theirs.filter(([name]) => !name.startsWith('touchstone-')).length)
      expect(header(letter, 'touchstone-error-topic')).toBe(w.topics.listings)
      return { i, code: header(letter, 'touchstone-error-code'), key: letter.key, value: letter.value }
    })
    expect(seen.toSorted((a, b) => a.i - b.i)).toEqual(
      cases.map(([code, { key, value }], i) => ({ i, code, key: base64(key), value: base64(value) })),
    )
  })

  it('are decided as binary, structured and bare events, without a key, with odd headers, 3 MB long, compressed in every way', async () => {
    const large = listing('large', { images: [{ data: randomBytes(2_200_000).toString('base64') }] })
    await w.send([
      {
        key: utf8('binary'),
        value: json(listing('binary')),
        headers: [...ce(SUBMITTED), ['constructor', null], ['x', utf8('1')], ['x', null]],
      },
      // Of a name that repeats the last value counts.
      {
        key: utf8('repeated'),
        value: json(listing('repeated')),
        headers: [['ce_type', utf8('com.example.first')], ...ce(SUBMITTED)],
      },
      {
        key: utf8('structured'),
        value: json({ specversion: '1.0', id: '1', source: '/shop', type: SUBMITTED, data: listing('structured') }),
        headers: [['content-type', utf8('application/cloudevents+json; charset=utf-8')]],
      },
      bare('bare'),
      { key: null, value: json(listing('keyless')) },
      { key: utf8('large'), value: json(large) },
    ])
    const ways = ['gzip', 'snappy', 'lz4', 'zstd'] as const
    for (const compression of ways)
      await w.send(
        [bare(`${compression}-1`), bare(`${compression}-2`), { key: null, value: utf8(`not ${compression}`) }],
        { compression },
      )
    const decided = decidedOf(await w.read('decisions')).map((d) => [d.listingId, d.revision, d.sequence, d.outcome])
    const names = [
      'binary',
      'repeated',
      'structured',
      'bare',
      'keyless',
      'large',
      ...ways.flatMap((way) => [`${way}-1`, `${way}-2`]),
    ]
    expect(decided.toSorted()).toEqual(names.map((name) => [name, 1, 1, 'allow']).toSorted())
    const letters = (await w.read('deadLetters')).map((letter) => text(letter.value))
    for (const way of ways) expect(letters.filter((value) => value === `not ${way}`)).toHaveLength(1)
  })

  it('of a transaction that was aborted never count', async () => {
    const aborted = Array.from({ length: 50 }, (_, i) => bare(`aborted-${i}`))
    await w.send(
      [
        'begin',
        bare('first'),
        'flush',
        'commit',
        'begin',
        ...aborted,
        'abort',
        'begin',
        bare('second'),
        'commit',
        'begin',
        bare('last'),
        'abort',
      ],
      {
        transactional: `writer-${randomBytes(6).toString('hex')}`,
      },
    )
    const listings = decidedOf(await w.read('decisions')).map((d) => d.listingId)
    expect(
      listings
        .filter((id) => id === 'first' || id === 'second' || id === 'last' || id.startsWith('aborted'))
        .toSorted(),
    ).toEqual(['first', 'second'])
  })

  it('of one listing on several partitions, as other clients place keys: each revision once, in rising order', async () => {
    const on = (partition: number, revision: number, title = 'A wooden chair'): JavaRecord => ({
      partition,
      ...bare('moved', { revision, title }),
    })
    await w.send([on(0, 1)])
    await w.t.settled()
    await w.send([on(1, 2, 'A wooden chair, oak')])
    await w.t.settled()
    // The same again by another way, and older than what stands.
    await w.send([on(2, 2, 'A wooden chair, oak'), on(2, 1), on(2, 1, 'Another thing')])
    const moved = (records: readonly ConsumedRecord[]) => records.filter((r) => text(r.key) === 'moved')
    const after = moved(await w.read('decisions'))
    expect(decidedOf(after).map((d) => [d.revision, d.sequence])).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(after.slice(2).map((r) => (JSON.parse(text(r.value) ?? '') as { code: string }).code)).toEqual([
      'revision-reused',
    ])
    // One partition for all that goes out, wherever it came in.
    expect(new Set(after.map((r) => r.partition)).size).toBe(1)

    // All at once: whatever is read first, what is decided rises, and the highest is.
    await w.send(Array.from({ length: 30 }, (_, i) => on(i % 3, 3 + i)))
    const all = moved(await w.read('decisions'))
    const revisions = decidedOf(all).map((d) => d.revision)
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
    expect(revisions.at(-1)).toBe(32)
    expect(decidedOf(all).map((d) => d.sequence)).toEqual(revisions.map((_, i) => i + 1))
    expect(all).toHaveLength(3 + 30)
  })
})

describe.runIf(brokers.length > 0)('topics that others made', () => {
  const open: World[] = []
  afterAll(async () => {
    for (const one of open) await one.t.stop()
  })
  const opened = async (...how: Parameters<typeof gateOn>): Promise<World> => {
    const made = await gateOn(...how)
    open.push(made)
    return made
  }

  it('a record that unpacks to twenty times what its topic takes becomes a dead letter that fits, and the stream goes on', async () => {
    const w = await opened({ TOUCHSTONE_MAX_LISTING_BYTES: '500000' })
    const value = Buffer.alloc(20_000_000, '{"listingId":')
    const [place] = await w.send(
      [
        { partition: 0, key: utf8('bomb'), value, headers: [['trace', utf8('t')]] },
        { partition: 0, ...bare('after') },
      ],
      {
        compression: 'zstd',
        settings: { 'buffer.memory': String(64 << 20), 'batch.size': String(32 << 20) },
      },
    )
    const letters = await w.read('deadLetters')
    expect(letters).toHaveLength(1)
    const [letter] = letters
    if (letter === undefined) throw new Error('no dead letter')
    expect([text(letter.key), header(letter, 'trace'), header(letter, 'touchstone-error-offset')]).toEqual([
      'bomb',
      't',
      String(place?.offset),
    ])
    expect(JSON.parse(header(letter, 'touchstone-error-truncated') ?? '')).toEqual({ valueBytes: 20_000_000 })
    const kept = Buffer.from(letter.value ?? '', 'base64')
    expect(kept.byteLength).toBeGreaterThan(1_000_000)
    expect(kept.equals(value.subarray(0, kept.byteLength))).toBe(true)
    expect(decidedOf(await w.read('decisions')).map((d) => d.listingId)).toEqual(['after'])
  }, 60_000)

  it('with the producer’s time, whatever its clock says: decided at once, and no figure breaks', async () => {
    const settings = { 'message.timestamp.type': 'CreateTime', 'message.timestamp.after.max.ms': '9223372036854775807' }
    const w = await opened({}, async ({ listings }) => {
      await freshTopic(brokers, { name: listings, numPartitions: 3, settings })
    })
    const before = Date.now()
    const times = {
      year1970: 0,
      year2009: Date.UTC(2009, 0, 1),
      year9999: Date.UTC(9999, 0, 1),
      never: 9_000_000_000_000_000,
    }
    await w.send(Object.entries(times).map(([name, timestamp]) => ({ ...bare(name), timestamp })))
    const decided = decidedOf(await w.read('decisions'))
    expect(decided.map((d) => d.listingId).toSorted()).toEqual(Object.keys(times).toSorted())
    for (const { listingId, submittedAt } of decided) {
      const at = Date.parse(submittedAt)
      if (listingId === 'year2009') expect(at).toBe(times.year2009)
      else expect(at).toBeGreaterThanOrEqual(before)
    }
    const backlog = await w.t.gate.log.backlog(w.topics.listings, 'nobody', new Map())
    for (const { seconds } of backlog) expect(seconds).toBeGreaterThanOrEqual(0)
  }, 60_000)

  it('that take too little hold up their range loudly, and no other; it goes on when they are mended', async () => {
    const limit = (topic: string, value: string) =>
      withAdmin(brokers, (admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value }] }],
        }),
      )
    const w = await opened({ TOUCHSTONE_PARTITIONS: '3' })
    await limit(w.topics.deadLetters, '10000')
    // One listing in every partition, and in one of them a dead letter that its topic does not take.
    await w.send([
      ...[0, 1, 2].map((partition) => ({ partition, key: utf8(`k-${partition}`), value: utf8('small') })),
      { key: utf8('k-0'), value: utf8('x'.repeat(50_000)) },
    ])
    const failing = await w.t.until('a range stands still', async () => {
      const found = Object.entries(w.t.gate.loops ?? {}).filter(([, loop]) => loop.trouble() !== undefined)
      return found.length > 0 && found
    })
    expect(failing).toHaveLength(1)
    expect(failing[0]?.[1].trouble()).toMatchObject({
      code: 'topics-wrong',
      message: expect.stringMatching(/dead-letters\.v1\[\d\] does not take .* max\.message\.bytes/) as string,
    })
    await w.t.until('the others go on', async () => (await w.t.gate.publisher.backlog()).rows <= 2)
    await limit(w.topics.deadLetters, '1100000')
    expect(
      (await w.read('deadLetters'))
        .map((r) => Buffer.from(r.value ?? '', 'base64').byteLength)
        .toSorted((a, b) => a - b),
    ).toEqual([5, 5, 5, 50_000])
    expect(failing[0]?.[1].trouble()).toBeUndefined()
  }, 60_000)
})
