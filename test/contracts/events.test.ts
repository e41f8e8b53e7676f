// Real: every event that is defined, its published example, its schema and the wire format.
import { readdirSync, readFileSync } from 'node:fs'
import { v5 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decisionSchema } from '../../src/domain/decision.ts'
import { EVENTS, listingDecided, listingSubmitted } from '../../src/events/index.ts'
import { TOPICS } from '../../src/events/topics.ts'
import { decodeEvent, encodeEvent } from '../../src/events/wire.ts'
import { contentHash } from '../../src/listing/content-hash.ts'
import { parseListing } from '../../src/listing/parse-listing.ts'

const folder = new URL('../../fixtures/events/', import.meta.url)
const example = (type: string): Buffer => readFileSync(new URL(`${type}.json`, folder))
const envelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string(),
  time: z.iso.datetime(),
  subject: z.string().min(1),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
})
const read = (type: string) => envelope.parse(JSON.parse(example(type).toString('utf8')))

it('every event has one example, and every example an event', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  expect(files.toSorted()).toEqual(EVENTS.map((e) => `${e.type}.json`).toSorted())
})

it('every event has a type of its own, a topic that exists and a summary', () => {
  expect(new Set(EVENTS.map((e) => e.type)).size).toBe(EVENTS.length)
  for (const event of EVENTS) {
    expect(event.type).toMatch(/^touchstone\.[a-z]+\.[a-z]+\.v[1-9]\d*$/)
    expect(Object.keys(TOPICS)).toContain(event.topic)
    expect(event.summary).toMatch(/^[A-Z].*\.$/)
  }
})

describe.each(EVENTS.map((e) => [e.type, e] as const))('%s', (type, definition) => {
  it('its example is a CloudEvent whose data fits the schema and loses nothing in it', () => {
    const { data, type: named, subject } = read(type)
    expect(named).toBe(type)
    expect(definition.schema.parse(data)).toEqual(data)
    expect(data['listingId']).toBe(subject)
  })

  it('its schema refuses the example without any field that it requires', () => {
    const { data } = read(type)
    const required = Object.keys(data).filter(
      (field) => !definition.schema.safeParse({ ...data, [field]: undefined }).success,
    )
    expect(required).toEqual(expect.arrayContaining(['listingId', 'revision']))
    for (const field of required) {
      expect(definition.schema.safeParse({ ...data, [field]: { wrong: [] } }).success).toBe(false)
    }
  })

  it('is read in structured mode, written in binary mode and read again the same', () => {
    const { id, source, time, subject, data } = read(type)
    const contentType = Buffer.from('application/cloudevents+json; charset=UTF-8')
    const structured = decodeEvent(
      { key: null, value: example(type), headers: { 'content-type': contentType } },
      definition.topic,
    )
    expect(structured).toEqual({ kind: 'event', type, id, source, time, subject, data })
    const binary = encodeEvent(definition, definition.schema.parse(data), { id, source, time, subject })
    expect(decodeEvent({ key: null, ...binary }, definition.topic)).toEqual(structured)
  })

  it('is not taken on another topic', () => {
    for (const topic of Object.keys(TOPICS) as (keyof typeof TOPICS)[]) {
      if (topic === definition.topic) continue
      const headers = { 'content-type': Buffer.from('application/cloudevents+json') }
      expect(decodeEvent({ key: null, value: example(type), headers }, topic)).toMatchObject({
        kind: 'problem',
        code: 'unknown-type',
      })
    }
  })
})

describe('the examples tell one story', () => {
  const decision = decisionSchema.parse(read(listingDecided.type).data)
  const submitted = parseListing(read(listingSubmitted.type).data)

  it('the decision is about the submitted listing, by its content', () => {
    if (submitted.kind !== 'ok') throw new Error('the example was not read')
    expect(decision.contentHash).toBe(contentHash(submitted.value))
    expect([decision.listingId, decision.revision, decision.sellerId]).toEqual([
      submitted.value.listingId,
      submitted.value.revision,
      submitted.value.sellerId,
    ])
  })

  it('its id is the name-based uuid of listing, revision and sequence', () => {
    const namespace = 'd3b1f7a2-5c0e-4b9d-8a46-71e2c95d0f38'
    expect(v5('["L-1",1,1]', namespace)).toBe('6d7e4bce-ad2b-5c38-9af1-f764ecc399eb')
    expect(decision.decisionId).toBe(
      v5(JSON.stringify([decision.listingId, decision.revision, decision.sequence]), namespace),
    )
  })

  it('the risk in log-odds is the base and what each signal adds', () => {
    const sum = decision.signals.reduce((total, signal) => total + signal.contribution, decision.base)
    expect(Math.log(decision.risk / (1 - decision.risk))).toBeCloseTo(sum, 9)
  })
})
