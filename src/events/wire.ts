// Events as they travel: CloudEvents 1.0 over a log record, in binary or structured mode, or a bare listing.
import { z } from 'zod'
import { instant } from '../domain/text-field.ts'
import type { EventDefinition } from './event.ts'
import { lastHeader, type HeaderValue } from './header.ts'
import { EVENTS } from './index.ts'
import { readJson, type JsonProblem } from './json-text.ts'
import { listingSubmitted } from './listing-submitted.ts'
import { topicNames, type TopicName } from './topics.ts'

export interface WireRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, HeaderValue>>
}

export interface WireEvent {
  readonly kind: 'event'
  /** One of the types that the topic carries. */
  readonly type: EventDefinition['type']
  /** CloudEvents attributes, where the sender gave them and they are well formed. */
  readonly id?: string
  readonly source?: string
  readonly subject?: string
  readonly time?: string
  /** A JSON object, not yet held against the event's schema. */
  readonly data: Record<string, unknown>
}

/** Its codes are entries of the catalogue of errors. */
export interface WireProblem {
  readonly kind: 'problem'
  readonly code: JsonProblem['code'] | 'not-an-object' | 'unknown-type'
  /** Says where it went wrong and what was expected. */
  readonly message: string
}

const text = new TextDecoder('utf-8', { fatal: true })
const bytes = new TextEncoder()
const time = instant(2000)
const attribute = z.string().min(1).max(1_000)

/**
 * Reads one record of a topic. Binary mode where a `ce_` header is there, structured mode by the content type
 * `application/cloudevents+json`, and on the listings topic a bare object is a submitted listing. Never throws, and is
 * linear in the record's length. The data is only known to be a JSON object: whoever needs more parses it.
 */
export function decodeEvent(record: WireRecord, topic: TopicName): WireEvent | WireProblem {
  const headers = lowerCase(record.headers)
  const media = mediaType(headers.get('content-type'))
  if (media.charset !== undefined && media.charset !== 'utf-8' && media.charset !== 'utf8') {
    return problem('not-utf8', `content-type says charset ${shown(media.charset)}; expected utf-8`)
  }
  if (media.type === 'application/cloudevents+json') return decodeStructured(record.value, topic)
  if (media.type.startsWith('application/cloudevents')) {
    return problem(
      'unknown-type',
      `content-type is ${shown(media.type)}; expected application/cloudevents+json with one event a record`,
    )
  }
  const binary = [...headers.keys()].some((name) => name.startsWith('ce_'))
  if (!binary && topic !== 'listings') {
    return problem('unknown-type', `there is no ce_type header; expected ${typesOf(topic)}`)
  }
  const attributes = {
    specversion: headers.get('ce_specversion'),
    type: binary ? headers.get('ce_type') : listingSubmitted.type,
    id: headers.get('ce_id'),
    source: headers.get('ce_source'),
    subject: headers.get('ce_subject'),
    time: headers.get('ce_time'),
  }
  const json = readJson(record.value)
  if (json.kind === 'problem') return json
  return toEvent(attributes, json.value, topic, 'the value')
}

function decodeStructured(value: Uint8Array | null, topic: TopicName): WireEvent | WireProblem {
  const json = readJson(value)
  if (json.kind === 'problem') return json
  if (!isObject(json.value))
    return problem('not-an-object', `the event is ${nameOf(json.value)}; expected a CloudEvents object`)
  const { specversion, type, id, source, subject, time: at, data, data_base64: encoded } = json.value
  const attributes = { specversion, type, id, source, subject, time: at }
  if (data === undefined && typeof encoded === 'string') {
    const inner = readJson(Buffer.from(encoded, 'base64'))
    if (inner.kind === 'problem') return problem(inner.code, `in data_base64: ${inner.message}`)
    return toEvent(attributes, inner.value, topic, 'data_base64')
  }
  return toEvent(attributes, data, topic, 'data')
}

function toEvent(
  attributes: Readonly<Record<'specversion' | 'type' | 'id' | 'source' | 'subject' | 'time', unknown>>,
  data: unknown,
  topic: TopicName,
  where: string,
): WireEvent | WireProblem {
  const { specversion } = attributes
  if (specversion !== undefined && specversion !== '1.0') {
    return problem('unknown-type', `the CloudEvents specversion is ${shown(specversion)}; expected 1.0`)
  }
  const definition = EVENTS.find((e) => e.topic === topic && e.type === attributes.type)
  if (definition === undefined) {
    const type = attributes.type === undefined ? 'missing' : shown(attributes.type)
    return problem('unknown-type', `the event type is ${type}; expected ${typesOf(topic)}`)
  }
  if (!isObject(data)) return problem('not-an-object', `${where} is ${nameOf(data)}; expected a JSON object`)
  // Attributes that are not well formed are dropped: none of them decides anything.
  const id = attribute.safeParse(attributes.id).data
  const source = attribute.safeParse(attributes.source).data
  const subject = attribute.safeParse(attributes.subject).data
  const at = time.safeParse(attributes.time).data
  return {
    kind: 'event',
    type: definition.type,
    ...(id === undefined ? {} : { id }),
    ...(source === undefined ? {} : { source }),
    ...(subject === undefined ? {} : { subject }),
    ...(at === undefined ? {} : { time: at }),
    data,
  }
}

export interface EventAttributes {
  /** Unique for one source: the decision's id, for instance. */
  readonly id: string
  /** URI reference of who says it. */
  readonly source: string
  /** RFC 3339. */
  readonly time: string
  /** What it is about: the listing's id. */
  readonly subject: string
}

/** Value and headers of an event in binary mode. The caller's types vouch for the data: it is not parsed again here. */
export function encodeEvent<S extends z.ZodType>(
  definition: EventDefinition<S>,
  data: z.output<S>,
  attributes: EventAttributes,
): { value: Uint8Array; headers: Record<string, Uint8Array> } {
  return {
    value: bytes.encode(JSON.stringify(data)),
    headers: {
      ce_specversion: bytes.encode('1.0'),
      ce_id: bytes.encode(attributes.id),
      ce_source: bytes.encode(attributes.source),
      ce_type: bytes.encode(definition.type),
      ce_time: bytes.encode(attributes.time),
      ce_subject: bytes.encode(attributes.subject),
      'content-type': bytes.encode('application/json'),
    },
  }
}

/**
 * Header names in lower case. Of a name that repeats the last value counts, and one without a value is as good as absent;
 * values that are not UTF-8 read as undefined text and so as an unknown value.
 */
function lowerCase(headers: WireRecord['headers']): Map<string, string> {
  const read = new Map<string, string>()
  for (const name of Object.keys(headers)) {
    const key = name.toLowerCase()
    if (key !== 'content-type' && !key.startsWith('ce_')) continue
    const value = lastHeader(headers, name)
    if (value === undefined) continue
    try {
      read.set(key, text.decode(value))
    } catch {
      read.set(key, '\ufffd')
    }
  }
  return read
}

function mediaType(header: string | undefined): { type: string; charset: string | undefined } {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  const charset = parameters.map((p) => p.split('=')).find(([name]) => name?.trim() === 'charset')?.[1]
  return { type: type.trim(), charset: charset?.trim().replaceAll('"', '') }
}

function typesOf(topic: TopicName): string {
  const types = EVENTS.filter((e) => e.topic === topic).map((e) => e.type)
  if (types.length === 0)
    return `nothing: the topic ${topicNames('touchstone')[topic]} is not one that events are read from`
  return types.length === 1 ? types.join('') : `one of ${types.join(', ')}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

/** A stranger's value for a message: escaped and at most 80 characters. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'missing'
  return json.length <= 80 ? json : `${json.slice(0, 79)}…`
}

function problem(code: WireProblem['code'], message: string): WireProblem {
  return { kind: 'problem', code, message }
}
