// What others write to Kafka, byte for byte, and how each record ends. Real: PostgreSQL, Kafka, the whole gate; who writes and who
// counts is the Java client of Kafka.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConsumedRecord, JavaRecord } from '../support/kafka/java.ts'
import {
  bare,
  decidedOf,
  gateOn,
  header,
  json,
  listing,
  text,
  utf8,
  type World,
} from '../support/kafka/java-and-gate.ts'
import { javaOrSkip, kafkaOrSkip } from '../support/kafka/kafka.ts'

const brokers = kafkaOrSkip() ?? []
const ce = (type: string): [string, Buffer][] => [
  ['ce_specversion', utf8('1.0')],
  ['ce_id', utf8('1')],
  ['ce_source', utf8('/shop')],
  ['ce_type', utf8(type)],
]
const SUBMITTED = 'touchstone.listing.submitted.v1'

/** Headers by name, values in their order: what the log keeps of their order. */
const byName = (headers: readonly (readonly [string, string | null])[]) =>
  new Map(
    Object.entries(Object.groupBy(headers, ([name]) => `.${name}`)).map(([name, all]) => [
      name,
      all?.map(([, v]) => v),
    ]),
  )
const base64 = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('base64'))

describe.runIf(brokers.length > 0 && javaOrSkip())('bytes on Kafka', () => {
  let w: World
  beforeAll(async () => {
    w = await gateOn(brokers)
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
    const decided = decidedOf(await w.read('decisions')).map(
      (d) => `${d.listingId} ${d.revision} ${d.sequence} ${d.outcome}`,
    )
    const names = [
      'binary',
      'repeated',
      'structured',
      'bare',
      'keyless',
      'large',
      ...ways.flatMap((way) => [`${way}-1`, `${way}-2`]),
    ]
    expect(decided.toSorted()).toEqual(names.map((name) => `${name} 1 1 allow`).toSorted())
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
