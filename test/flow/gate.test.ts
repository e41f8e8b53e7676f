// One listing in, one decision out. Real: PostgreSQL (store, and log), Kafka 4.1 and 3.9 (log), every signal, the shipped brands and
// policy; who counts what is on Kafka is its own Java client.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { lastHeader } from '../../src/events/header.ts'
import { createIntake } from '../../src/pipeline/intake.ts'
import { publishPolicy } from '../../src/pipeline/policies.ts'
import type { Headers } from '../../src/pipeline/log/ports.ts'
import { consumeWithJava } from '../support/kafka/java.ts'
import { javaOrSkip } from '../support/kafka/kafka.ts'
import { kafkaLegs, type StartedLeg } from '../support/kafka/legs.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const header = (headers: Headers, name: string) =>
  Buffer.from(lastHeader(headers, `touchstone-error-${name}`) ?? []).toString()

describe.each([{ name: 'PostgreSQL', start: undefined }, ...kafkaLegs()])('the gate on $name', ({ start }) => {
  let kafka: StartedLeg | undefined
  let t: GateUnderTest
  beforeAll(async () => {
    kafka = await start?.()
    t = await startGateUnderTest({}, undefined, kafka?.brokers)
  })
  afterAll(async () => {
    await t?.stop()
    await kafka?.stop()
  })

  it('allows an honest listing, blocks an overt counterfeit, and says why in words for the seller', async () => {
    await t.submit({
      listingId: 'honest',
      title: 'Solid oak dining chair, used, small scratch',
      price: { amount: 40, currency: 'EUR' },
    })
    await t.submit({
      listingId: 'overt',
      title: 'Rolex Submariner 1:1 super clone, best replica',
      condition: 'new',
      price: { amount: 189, currency: 'USD' },
    })
    const { decisions } = await t.settled()
    const honest = decisions.find((d) => d.listingId === 'honest')
    const overt = decisions.find((d) => d.listingId === 'overt')
    expect(honest).toMatchObject({ outcome: 'allow', reasons: [], sequence: 1, stage: 'screening', degraded: false })
    expect(overt).toMatchObject({ outcome: 'block', riskClass: 'high', brandIds: ['rolex'] })
    expect(overt?.reasons.length).toBeGreaterThan(0)
    expect(JSON.stringify(overt?.reasons)).not.toMatch(/\d/)
    for (const d of decisions) {
      const sum = d.signals.reduce((total, s) => total + s.contribution, d.base)
      expect(Math.log(d.risk / (1 - d.risk))).toBeCloseTo(sum, 9)
    }
  })

  it('ends every poison message as a dead letter or a refusal that names the field, and the stream goes on', async () => {
    const json = (data: unknown) => Buffer.from(JSON.stringify(data))
    const base = { listingId: 'poison', revision: 1, sellerId: 'S', title: 'x' }
    const bad: [string, Uint8Array | null, 'refused' | 'dead', RegExp][] = [
      ['no value', null, 'dead', /empty/],
      ['not JSON', Buffer.from('{"listingId": '), 'dead', /not-json/],
      ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 'dead', /not-utf8/],
      ['an array', json([1, 2]), 'dead', /not-an-object/],
      ['NaN', Buffer.from('{"listingId":"a","revision":1,"price":{"amount":NaN}}'), 'dead', /not-json/],
      ['no listingId', json({ ...base, listingId: undefined }), 'dead', /no-identity.*listingId/s],
      ['NUL in the id', json({ ...base, listingId: 'a\u0000b' }), 'dead', /no-identity/],
      ['revision 0', json({ ...base, revision: 0 }), 'dead', /no-identity.*revision/s],
      ['no title', json({ ...base, title: undefined }), 'refused', /^\/title invalid/],
      ['a title of 1 MB', json({ ...base, title: 'a'.repeat(1 << 20) }), 'refused', /^\/title (invalid|too-large)/],
      [
        'a lone surrogate',
        Buffer.from('{"listingId":"poison","revision":1,"sellerId":"S","title":"\\ud800"}'),
        'refused',
        /^\/title invalid/,
      ],
      [
        'a negative price',
        json({ ...base, price: { amount: -1, currency: 'USD' } }),
        'refused',
        /^\/price\/amount invalid/,
      ],
      [
        'an absurd price',
        json({ ...base, price: { amount: 1e300, currency: 'USD' } }),
        'refused',
        /^\/price\/amount invalid/,
      ],
      [
        'an unknown currency',
        json({ ...base, price: { amount: 1, currency: 'XXZ' } }),
        'refused',
        /^\/price\/currency invalid/,
      ],
      [
        'a date out of range',
        json({ ...base, submittedAt: '0001-01-01T00:00:00Z' }),
        'refused',
        /^\/submittedAt invalid/,
      ],
      [
        'a NUL in the name of an attribute',
        json({ ...base, attributes: { 'a\u0000b': 'x' } }),
        'refused',
        /^\/attributes/,
      ],
      [
        '10,000 images',
        json({ ...base, images: Array.from({ length: 10_000 }, () => ({ url: 'https://a.example/1.jpg' })) }),
        'refused',
        /^\/images (invalid|too-large)/,
      ],
      ['a wrong type', json({ ...base, price: 'cheap' }), 'refused', /^\/price invalid/],
    ]
    const lettersBefore = (await t.deadLetters()).length
    const refusedBefore = (await t.settled()).refusals.length
    for (const [, value] of bad) await t.raw(value)
    // Beyond what the database takes as a time zone, and sound JSON all the same.
    await t.submit({ listingId: 'far-east', submittedAt: '2026-01-01T00:00:00+16:00' })
    await t.submit({ listingId: 'after-the-poison' })
    const { decisions, refusals } = await t.settled()
    for (const id of ['far-east', 'after-the-poison'])
      expect(decisions.find((d) => d.listingId === id)?.outcome, id).toBe('allow')
    const letters = (await t.deadLetters()).slice(lettersBefore)
    // All went to one partition (one key), so the order is the order of sending.
    const dead = bad.filter(([, , end]) => end === 'dead')
    expect(letters).toHaveLength(dead.length)
    dead.forEach(([name, value, , expected], i) => {
      const letter = letters[i]
      expect(`${header(letter?.headers ?? {}, 'code')} ${header(letter?.headers ?? {}, 'message')}`, name).toMatch(
        expected,
      )
      expect(letter?.value === null ? null : Buffer.from(letter?.value ?? []), name).toEqual(
        value === null ? null : Buffer.from(value),
      )
    })
    const refused = bad.filter(([, , end]) => end === 'refused')
    const mine = refusals.slice(refusedBefore)
    expect(mine).toHaveLength(refused.length)
    refused.forEach(([name, , , expected], i) => {
      expect(`${mine[i]?.path} ${mine[i]?.code} ${mine[i]?.message}`, name).toMatch(expected)
      expect(mine[i]?.message.length, name).toBeLessThan(500)
    })
  })

  it('decides again what changed, and nothing twice: duplicates, edits, withdrawals', async () => {
    await t.submit({ listingId: 'edited', title: 'Gucci bag AAA replica', price: { amount: 30, currency: 'USD' } })
    await t.submit({ listingId: 'edited', title: 'Gucci bag AAA replica', price: { amount: 30, currency: 'USD' } })
    await t.submit({ listingId: 'edited', revision: 2, title: 'A plain bag' }, 'revised')
    await t.submit({ listingId: 'edited', revision: 1, title: 'A plain bag' })
    await t.withdraw('edited', 2)
    await t.submit({ listingId: 'edited', revision: 3, title: 'A plain bag' }, 'revised')
    const { decisions, refusals } = await t.settled()
    const mine = decisions.filter((d) => d.listingId === 'edited')
    expect(mine.map((d) => [d.revision, d.sequence])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(mine[0]?.outcome).not.toBe('allow')
    expect(mine.slice(1).map((d) => [d.outcome, d.hold?.onDeadline])).toEqual([
      ['hold', 'block'],
      ['hold', 'block'],
    ])
    // Nor does withdrawing it before the edit give it another case.
    expect(new Set(mine.map((d) => d.caseId)).size).toBe(1)
    expect(refusals.filter((r) => r.listingId === 'edited').map((r) => r.code)).toEqual(['revision-reused'])
  })

  it('never says by a refusal whose a listing is, nor shows it in the history of another', async () => {
    await t.submit({ listingId: 'unowned' })
    const { log, topics } = t.gate
    const intake = createIntake({ log, topics, group: t.gate.groups.listings, maxListingBytes: 10_000 })
    const theirs = { listingId: 'unowned', revision: 2, sellerId: 'S-2', title: 'A chair' }
    const read = intake.readListing(Buffer.from(JSON.stringify(theirs)), 'other')
    if (read.kind !== 'ok') throw new Error(read.message)
    await intake.append([read.value.record])
    const { refusals } = await t.settled()
    expect(refusals.filter((r) => r.listingId === 'unowned').map((r) => r.code)).toEqual(['marketplace-mismatch'])
    expect(await t.gate.reader.history('unowned')).toMatchObject({ marketplace: null, refusals: [] })
  })

  it('resumes the feed at any cursor', async () => {
    const { entries } = await t.settled()
    for (const at of [0, Math.floor(entries.length / 2), entries.length - 1]) {
      const cursor = entries[at]?.cursor
      const { entries: rest } = await t.gate.reader.feed(cursor, 1_000, undefined)
      expect(rest.map((e) => e.cursor)).toEqual(entries.slice(at + 1).map((e) => e.cursor))
    }
  })

  it('puts every decision into the decisions topic once, in order, as a CloudEvent', async () => {
    const { decisions } = await t.settled()
    await t.deadLetters()
    const published: string[] = []
    for (const { partition, low } of await t.gate.log.ranges(t.gate.topics.decisions)) {
      for (const record of await t.gate.log.read(t.gate.topics.decisions, partition, low, 10_000)) {
        if (Buffer.from(lastHeader(record.headers, 'ce_type') ?? []).toString() !== 'touchstone.listing.decided.v1')
          continue
        const data = JSON.parse(Buffer.from(record.value ?? []).toString()) as { decisionId: string; listingId: string }
        expect(Buffer.from(record.key ?? []).toString()).toBe(data.listingId)
        expect(Buffer.from(lastHeader(record.headers, 'ce_id') ?? []).toString()).toBe(data.decisionId)
        published.push(data.decisionId)
      }
    }
    expect([...published].sort()).toEqual(decisions.map((d) => d.decisionId).sort())
  })

  it('lets a published threshold change the next decision, and a hold reach its deadline once', async () => {
    const active = (await t.gate.reference.policies()).find((p) => p.active)?.policy
    if (active === undefined) throw new Error('no policy is active')
    const strict: Policy = {
      ...active,
      description: 'test',
      thresholds: { hold: 0, block: 1 },
      rules: [],
      examples: [],
      hold: {
        deadlineSeconds: 1,
        onDeadline: { low: 'allow', medium: 'allow', high: 'block' },
        onDeadlineDegraded: 'block',
      },
    }
    await t.submit({ listingId: 'before' })
    await t.settled()
    const { policy } = await publishPolicy(t.gate.reference, t.gate.live.current(), strict, 'test', active.version)
    await t.until('the worker uses it', async () => t.gate.live.current().policy.policy.version === policy.version)
    await t.submit({ listingId: 'held' })
    const decided = await t.until('the deadline decided', async () => {
      const mine = (await t.settled()).decisions.filter((d) => d.listingId === 'held')
      return mine.length > 1 && mine
    })
    expect(decided.map((d) => [d.sequence, d.stage, d.outcome, d.policy.version])).toEqual([
      [1, 'screening', 'hold', policy.version],
      [2, 'deadline', 'allow', policy.version],
    ])
    expect(Date.parse(decided[1]?.decidedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(decided[0]?.hold?.until ?? ''))
    const back = await t.gate.reference.rollbackPolicy('test')
    expect(back.policy.version).toBe(active.version)
    await t.until('the worker uses it', async () => t.gate.live.current().policy.policy.version === active.version)
    await t.submit({ listingId: 'after' })
    const { decisions } = await t.settled()
    expect(decisions.filter((d) => ['before', 'after'].includes(d.listingId)).map((d) => d.outcome)).toEqual([
      'allow',
      'allow',
    ])
  })

  const witnessed = start !== undefined && javaOrSkip()
  it.runIf(witnessed)('shows an independent reader of committed records each decision once', async () => {
    const { decisions } = await t.settled()
    await t.deadLetters()
    const records = await consumeWithJava({
      brokers: kafka?.brokers ?? [],
      topic: t.gate.topics.decisions,
      isolation: 'read_committed',
    })
    const text = (headers: readonly (readonly [string, string | null])[], name: string) =>
      Buffer.from(headers.findLast(([n]) => n === name)?.[1] ?? '', 'base64').toString()
    const seen = records
      .filter((r) => text(r.headers, 'ce_type') === 'touchstone.listing.decided.v1')
      .map((r) => JSON.parse(Buffer.from(r.value ?? '', 'base64').toString()) as Decision)
    const screened = seen.filter((d) => d.stage === 'screening').map((d) => `${d.listingId}/${d.revision}`)
    expect(new Set(screened).size).toBe(screened.length)
    expect(seen.map((d) => d.decisionId).sort()).toEqual(decisions.map((d) => d.decisionId).sort())
    const places = Map.groupBy(records, (r) => r.partition)
    for (const inOrder of places.values())
      inOrder.forEach((r, i) => expect(text(r.headers, 'touchstone-position')).toBe(String(i + 1)))
  })
})
