// How large what we publish can be: no record may be refused by its topic for ever. Real: parsing, signals, policy, settling, encoding.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limitOf } from '../../../src/apps/topics.ts'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { LISTING_LIMITS } from '../../../src/domain/listing.ts'
import { headerValues, lastHeader } from '../../../src/events/header.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { parseListing } from '../../../src/listing/parse-listing.ts'
import { deadLetterRow } from '../../../src/pipeline/dead-letter.ts'
import { dryRun } from '../../../src/pipeline/intake.ts'
import type { Headers, LogRecord } from '../../../src/pipeline/log/ports.ts'
import { compileGate } from '../../../src/pipeline/reference.ts'
import { readRecord } from '../../../src/pipeline/trying.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { verdictSchema } from '../../../src/domain/verdict.ts'
import { shippedBrands } from '../../../src/rights/brands.ts'

const AT = { topic: 'shop.listings.v1', partition: 7, offset: 12n }
const WHY = { code: 'not-json', message: 'x'.repeat(5_000), stage: 'decode', attempts: 1 } as const
const NOW = new Date('2026-01-01T00:00:00Z')
const MiB = 1 << 20

/** What Kafka writes for it, at most: variable-length numbers before each part, and what wraps a record and its batch. */
function onKafka({ key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = 61 + 30 + (key?.byteLength ?? 0) + (value?.byteLength ?? 0)
  for (const [name, all] of Object.entries(headers))
    for (const one of headerValues(all)) bytes += 10 + Buffer.byteLength(name) + (one?.byteLength ?? 0)
  return bytes
}

const letter = (record: Pick<LogRecord, 'key' | 'value' | 'headers'>, maxBytes = MiB) =>
  deadLetterRow(record, WHY, AT, { now: NOW, maxBytes })

const truncated = (headers: Headers): unknown => {
  const said = lastHeader(headers, 'touchstone-error-truncated')
  return said === undefined ? undefined : JSON.parse(Buffer.from(said).toString())
}

describe('a dead letter', () => {
  it('that fits is untouched and says nothing of a cut', () => {
    const record = {
      key: Buffer.from('k'),
      value: Buffer.alloc(MiB - 20_000, 1),
      headers: { a: [null, Buffer.from('b')] },
    }
    const { key, value, headers } = letter(record)
    expect(key).toBe(record.key)
    expect(value).toBe(record.value)
    expect(headers['a']).toBe(record.headers.a)
    expect(truncated(headers)).toBeUndefined()
  })

  it('of a record that was larger than any topic takes keeps its beginning, its key and its headers', () => {
    const value = Buffer.from('0123456789'.repeat(2 * MiB))
    const record = { key: Buffer.from('k'), value, headers: { trace: Buffer.from('t'), none: null } }
    const { key, value: kept, headers } = letter(record)
    expect(key).toBe(record.key)
    expect(headers).toMatchObject({ trace: Buffer.from('t'), none: null })
    expect(truncated(headers)).toEqual({ valueBytes: value.byteLength })
    expect(kept?.byteLength).toBeGreaterThan(MiB - 20_000)
    expect(Buffer.compare(kept ?? Buffer.alloc(0), value.subarray(0, kept?.byteLength))).toBe(0)
  })

  it('leaves out headers that do not fit, never ours, and counts them; a tombstone stays one', () => {
    const many: Headers = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`h-${i}`, Buffer.alloc(100)]))
    const { value, headers } = letter({ key: null, value: null, headers: { big: Buffer.alloc(2 * MiB), ...many } })
    expect(value).toBeNull()
    const said = truncated(headers) as { headersLeftOut: number }
    expect(Object.keys(said)).toEqual(['headersLeftOut'])
    const theirs = Object.keys(headers).filter((name) => name.startsWith('h-')).length
    expect(theirs).toBeGreaterThan(1_000)
    expect(theirs + said.headersLeftOut).toBe(20_001)
    expect(headers).not.toHaveProperty('big')
    expect(lastHeader(headers, 'touchstone-error-offset')).toEqual(Buffer.from('12'))
  })

  it('is never larger than what its topic takes, whatever was sent', () => {
    const bytes = fc.oneof(
      fc.constant(null),
      fc.integer({ min: 0, max: 3 * MiB }).map((length) => Buffer.alloc(length, 65)),
      fc.integer({ min: 0, max: 20_000 }).map((length) => Buffer.alloc(length, 66)),
    )
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'touchstone-error-code',
        'touchstone-error-truncated',
        'n'.repeat(40_000),
      ),
    )
    const headers = fc
      .array(fc.tuple(name, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 4 }))), { maxLength: 8 })
      .map((entries) => Object.fromEntries(entries) as Headers)
    fc.assert(
      fc.property(bytes, bytes, headers, (key, value, all) => {
        const row = letter({ key, value, headers: all })
        expect(onKafka(row)).toBeLessThanOrEqual(MiB)
        expect(row.key === null).toBe(key === null)
        expect(row.value === null).toBe(value === null)
        const own = lastHeader(row.headers, 'touchstone-error-truncated')
        const cut = own === lastHeader(all, 'touchstone-error-truncated') ? {} : truncated(row.headers)
        if (row.value !== value) expect(cut).toHaveProperty('valueBytes', value?.byteLength)
        if (row.key !== key) expect(cut).toHaveProperty('keyBytes', key?.byteLength)
        const values = (headers: Headers) => Object.values(headers).flatMap(headerValues).length
        const ours = own === lastHeader(all, 'touchstone-error-truncated') ? 8 : 9
        const leftOut = values(all) + ours - values(row.headers)
        expect((cut as { headersLeftOut?: number }).headersLeftOut ?? 0).toBe(leftOut)
      }),
      { numRuns: 60 },
    )
  })
})

describe('what we publish ourselves', () => {
  // The least that a topic of ours takes; nothing that is quoted may come near it.
  const LEAST = limitOf('decisions', { TOUCHSTONE_MAX_LISTING_BYTES: 1 })
  const control = (length: number) => '\u0001'.repeat(length)
  const largest = {
    listingId: control(LISTING_LIMITS.id),
    revision: LISTING_LIMITS.revision,
    sellerId: control(LISTING_LIMITS.id),
    marketplace: control(200),
    price: { amount: 1, currency: 'USD' },
    condition: 'new',
  }
  const spread = (word: string, gap: string, times: number) => word.split('').join(gap.repeat(times))

  it('decisions: names and words without number, hidden however, in a listing as large as it may be', async () => {
    const [one] = shippedBrands()
    if (one === undefined) throw new Error('no brands')
    const letters = 'bcdfghjklmnpqrstvwxz'.split('')
    const names = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `${a}a${b}o${c}i`))).slice(0, 7_000)
    const many = names.map((name, i) => ({
      ...one,
      brandId: `b${String(i).padStart(99, '0')}`,
      name,
      ambiguous: false,
      aliases: [],
    }))
    const parts = await gateParts({ currencies: undefined, budgetMs: 60_000 })
    const crowded = compileGate(parts, { change: 0n, brands: many, policy: defaultPolicy() })
    const shipped = compileGate(parts, { change: 0n, brands: shippedBrands(), policy: defaultPolicy() })
    const words = ['rolex', 'gucci', 'chanel', 'prada', 'nike', 'replica', 'super clone']
    const gaps = ['\u200b', '\u0001', '.', ' ', '"'].flatMap((gap) => [30, 900].map((times) => [gap, times] as const))
    const texts = [
      { gate: crowded, title: names.slice(0, 400).join(' '), description: names.join(' ') },
      {
        gate: shipped,
        title: shippedBrands()
          .map((b) => b.name)
          .join(' '),
        description: control(LISTING_LIMITS.description),
      },
      ...gaps.map(([gap, times]) => ({
        gate: shipped,
        title: spread('rolex', gap, 400),
        description: words
          .map((word) => spread(word, gap, times))
          .join(' ')
          .repeat(20),
      })),
    ]
    const sizes: number[] = []
    for (const { gate, title, description } of texts) {
      const text = {
        title: title.slice(0, LISTING_LIMITS.title),
        description: description.slice(0, LISTING_LIMITS.description),
      }
      const parsed = parseListing({ ...largest, ...text })
      if (parsed.kind !== 'ok') throw new Error(parsed.message)
      const tried = await dryRun(gate, parsed.value, topicNames('t'), NOW)
      if (tried.kind !== 'ok') throw new Error('not tried')
      sizes.push(Buffer.byteLength(JSON.stringify(tried.value)))
    }
    // So many mentions as are looked at, of which some are shown: all that are in the text would be beyond this.
    expect(Math.max(...sizes)).toBeGreaterThan(20_000)
    expect(Math.max(...sizes)).toBeLessThan(LEAST / 20)
  }, 60_000)

  it('refusals: of keys and values without end', () => {
    const endless = control(1 << 16)
    for (const wrong of [
      { title: endless },
      { title: '', [endless]: 1 },
      { title: 't', attributes: { [endless]: { [endless]: 1 } } },
      {
        title: 't',
        attributes: Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`${i}~/`.repeat(20), endless])),
      },
      { title: 't', images: Array.from({ length: 90 }, () => ({ url: endless })) },
    ]) {
      const value = Buffer.from(JSON.stringify({ ...largest, ...wrong }))
      const read = readRecord({ key: null, value, headers: {} }, 1 << 30)
      expect(read.kind).toBe('refuse')
      expect(Buffer.byteLength(JSON.stringify(read))).toBeLessThan(LEAST / 32)
    }
  })

  it('verdicts: the longest that passes', () => {
    const most = (field: { safeParse(text: string): { success: boolean } }) =>
      control([10, 100, 256, 1_000, 10_000].filter((length) => field.safeParse('x'.repeat(length)).success).at(-1) ?? 0)
    const { shape } = verdictSchema
    const by = { subject: most(shape.by.shape.subject), role: most(shape.by.shape.role) }
    const texts = { reason: most(shape.reason), note: most(shape.note), caseId: most(shape.caseId) }
    const verdict = { ...texts, by, verdictId: most(shape.verdictId), listingId: most(shape.listingId) }
    expect(verdict.note.length).toBe(10_000)
    for (const text of ['reason', 'note', 'caseId', 'verdictId'] as const)
      expect(shape[text].safeParse('x'.repeat(10_001)).success).toBe(false)
    // Each of its characters takes six bytes of JSON.
    expect(Buffer.byteLength(JSON.stringify(verdict))).toBeLessThan(LEAST / 8)
  })
})
