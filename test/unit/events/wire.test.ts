// Real: the wire format, from bytes and headers to an event and back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../../src/errors.ts'
import { listingRefused } from '../../../src/events/index.ts'
import { decodeEvent, encodeEvent, type WireRecord } from '../../../src/events/wire.ts'

const SUBMITTED = 'touchstone.listing.submitted.v1'
const listing = { listingId: 'L-1', revision: 1, sellerId: 'S', title: 'Bag', later: { field: 1 } }

function record(value: unknown, headers: Record<string, string> = {}): WireRecord {
  return {
    key: null,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, Buffer.from(v)])),
  }
}
const structured = (event: unknown, contentType = 'application/cloudevents+json') =>
  record(event, { 'content-type': contentType })

describe('reading', () => {
  it('binary mode: headers are the attributes, the value is the data', () => {
    const headers = {
      ce_specversion: '1.0',
      ce_type: 'touchstone.listing.withdrawn.v1',
      ce_id: 'e-1',
      ce_source: '/shop',
      ce_time: '2026-01-01T00:00:00Z',
      ce_subject: 'L-1',
      ce_other: 'x',
    }
    expect(decodeEvent(record(listing, headers), 'listings')).toEqual({
      kind: 'event',
      type: 'touchstone.listing.withdrawn.v1',
      id: 'e-1',
      source: '/shop',
      time: '2026-01-01T00:00:00Z',
      subject: 'L-1',
      data: listing,
    })
  })

  it.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=utf-8',
    'Application/CloudEvents+JSON;charset="UTF-8"',
  ])('structured mode as %s', (contentType) => {
    const event = { specversion: '1.0', type: SUBMITTED, id: 'e-1', source: '/shop', data: listing, extension: 1 }
    expect(decodeEvent(structured(event, contentType), 'listings')).toEqual({
      kind: 'event',
      type: SUBMITTED,
      id: 'e-1',
      source: '/shop',
      data: listing,
    })
  })

  it('structured mode with the data in base64', () => {
    const event = {
      specversion: '1.0',
      type: SUBMITTED,
      data_base64: Buffer.from(JSON.stringify(listing)).toString('base64'),
    }
    expect(decodeEvent(structured(event), 'listings')).toMatchObject({ kind: 'event', data: listing })
    expect(decodeEvent(structured({ ...event, data_base64: '/w==' }), 'listings')).toMatchObject({
      code: 'not-utf8',
      message: expect.stringContaining('in data_base64: byte 0'),
    })
  })

  it('a bare object on the listings topic is a submitted listing, on another topic nothing', () => {
    expect(decodeEvent(record(listing), 'listings')).toEqual({ kind: 'event', type: SUBMITTED, data: listing })
    expect(decodeEvent(record(listing, { 'content-type': 'application/json', other: 'x' }), 'listings')).toMatchObject({
      kind: 'event',
      type: SUBMITTED,
    })
    expect(decodeEvent(record(listing), 'decisions')).toMatchObject({
      code: 'unknown-type',
      message: expect.stringContaining('no ce_type header'),
    })
  })

  it('attributes that are not well formed are dropped', () => {
    const event = decodeEvent(record(listing, { ce_type: SUBMITTED, ce_time: 'yesterday', ce_id: '' }), 'listings')
    expect(event).toEqual({ kind: 'event', type: SUBMITTED, data: listing })
  })
})

describe('what cannot be read', () => {
  const bad: [string, WireRecord, string, string][] = [
    ['a tombstone', { key: null, value: null, headers: {} }, 'empty', 'expected one JSON object'],
    ['no bytes', record(''), 'empty', 'expected one JSON object'],
    ['an array', record('[1]'), 'not-an-object', 'the value is an array; expected a JSON object'],
    ['a string', record('"x"'), 'not-an-object', 'the value is a string'],
    ['null', record('null'), 'not-an-object', 'the value is null'],
    ['not JSON', record('{"a":}'), 'not-json', 'line 1, column 6'],
    [
      'an unknown type',
      record(listing, { ce_type: 'touchstone.listing.submitted.v2' }),
      'unknown-type',
      `one of ${SUBMITTED}, `,
    ],
    [
      'an event of another topic',
      record(listing, { ce_type: 'touchstone.listing.decided.v1' }),
      'unknown-type',
      'touchstone.listing.decided.v1',
    ],
    ['ce_ headers without a type', record(listing, { ce_id: '1' }), 'unknown-type', 'the event type is missing'],
    [
      'another specversion',
      record(listing, { ce_type: SUBMITTED, ce_specversion: '0.3' }),
      'unknown-type',
      'expected 1.0',
    ],
    ['a batch', structured([], 'application/cloudevents-batch+json'), 'unknown-type', 'one event a record'],
    ['a structured event that is no object', structured([]), 'not-an-object', 'expected a CloudEvents object'],
    ['a structured event without data', structured({ type: SUBMITTED }), 'not-an-object', 'data is missing'],
    ['a structured event without a type', structured({ data: listing }), 'unknown-type', 'the event type is missing'],
    [
      'another charset',
      structured({ type: SUBMITTED, data: listing }, 'application/cloudevents+json; charset=latin1'),
      'not-utf8',
      'latin1',
    ],
    [
      'a type that is an object',
      structured({ type: { toString: 1 }, data: listing }),
      'unknown-type',
      'the event type is {"toString":1}',
    ],
  ]
  it.each(bad)('%s', (_name, given, code, message) => {
    const problem = decodeEvent(given, 'listings')
    expect(problem).toMatchObject({ kind: 'problem', code, message: expect.stringContaining(message) })
    if (problem.kind === 'problem') expect(Object.keys(ERRORS)).toContain(problem.code)
  })

  it('a header that is not UTF-8', () => {
    const given = { ...record(listing), headers: { ce_type: Buffer.from([0xff]) } }
    expect(decodeEvent(given, 'listings')).toMatchObject({ kind: 'problem', code: 'unknown-type' })
  })

  it('a header that repeats counts with its last value, and one without a value is absent', () => {
    const [first, last] = [Buffer.from('touchstone.listing.withdrawn.v1'), Buffer.from(SUBMITTED)]
    const headers = { ce_type: [first, last], ce_id: [Buffer.from('e-1'), null], ce_source: null, 'content-type': [] }
    const event = decodeEvent({ ...record(listing), headers }, 'listings')
    expect(event).toEqual({ kind: 'event', type: SUBMITTED, data: listing })
    const none = { ce_type: null, 'content-type': null }
    expect(decodeEvent({ ...record(listing), headers: none }, 'listings')).toMatchObject({ type: SUBMITTED })
    const swapped = { ...record(listing), headers: { ce_type: [last, Buffer.from('other')] } }
    expect(decodeEvent(swapped, 'listings')).toMatchObject({ code: 'unknown-type' })
  })

  it('never echoes more than 80 characters of a stranger', () => {
    const problem = decodeEvent(record(listing, { ce_type: `${'x'.repeat(10_000)}\n` }), 'listings')
    expect(problem.kind === 'problem' && problem.message.length).toBeLessThan(400)
  })

  it('never throws, whatever the bytes and headers', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((j) => Buffer.from(j)),
      fc.constant(null),
    )
    const name = fc.oneof(
      fc.constantFrom('ce_type', 'ce_specversion', 'content-type', 'Content-Type', '__proto__'),
      fc.string(),
    )
    const value = fc.oneof(
      fc.uint8Array(),
      fc.constantFrom(SUBMITTED, 'application/cloudevents+json', '1.0').map((s) => Buffer.from(s)),
    )
    fc.assert(
      fc.property(bytes, fc.dictionary(name, fc.oneof(value, fc.array(fc.option(value)))), (v, headers) => {
        expect(['event', 'problem']).toContain(decodeEvent({ key: null, value: v, headers }, 'listings').kind)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('writing', () => {
  const attributes = { id: 'd-1', source: '/touchstone', time: '2026-01-01T00:00:00.000Z', subject: 'Lé-1' }
  const refusal = {
    listingId: 'Lé-1',
    revision: 1,
    code: 'invalid',
    message: 'm \ud800',
    path: '',
    at: attributes.time,
  } as const

  it('binary mode with every header', () => {
    const { headers } = encodeEvent(listingRefused, refusal, attributes)
    const read = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, Buffer.from(v).toString()]))
    expect(read).toEqual({
      ce_specversion: '1.0',
      ce_id: 'd-1',
      ce_source: '/touchstone',
      ce_type: listingRefused.type,
      ce_time: attributes.time,
      ce_subject: 'Lé-1',
      'content-type': 'application/json',
    })
  })

  it('is read back as it was written, lone surrogates included', () => {
    const event = decodeEvent({ key: null, ...encodeEvent(listingRefused, refusal, attributes) }, 'decisions')
    expect(event).toEqual({ kind: 'event', type: listingRefused.type, ...attributes, data: refusal })
  })
})
