// What others build against, made from the code: a JSON Schema per event and the AsyncAPI document of all of them.
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { z } from 'zod'
import { EVENTS } from '../src/events/index.ts'
import type { EventDefinition } from '../src/events/event.ts'
import { TOPICS, topicNames, type TopicName } from '../src/events/topics.ts'
import { createApi } from '../src/api/server.ts'
import type { Intake } from '../src/api/ports.ts'
import type { ApiDependencies } from '../src/api/services.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { deadLetterRow } from '../src/pipeline/dead-letter.ts'

/** Each returns texts by path, relative to the folder of the published contracts. Add a producer to publish more. */
export type Producer = () => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>

export const PRODUCERS: readonly Producer[] = [jsonSchemas, asyncApi, openApi]

export async function publishedContracts(): Promise<Map<string, string>> {
  const all = new Map<string, string>()
  for (const producer of PRODUCERS) {
    for (const [path, text] of await producer()) all.set(path, text)
  }
  return all
}

const schemaPath = (event: EventDefinition): string => `schemas/${event.type}.schema.json`

function jsonSchemas(): Map<string, string> {
  return new Map(EVENTS.map((event) => [schemaPath(event), `${JSON.stringify(jsonSchema(event), null, 2)}\n`]))
}

/**
 * What we read is described as senders may write it. Neither direction forbids fields that are not named: we pass over
 * them, and whoever reads us must too, since fields are added within a version. What JSON Schema has no word for
 * (currencies that exist, well-formed Unicode, years that can be) is checked all the same.
 */
function jsonSchema(event: EventDefinition): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(event.schema, {
    target: 'draft-2020-12',
    io: event.direction === 'out' ? 'output' : 'input',
    override: ({ jsonSchema: node }) => {
      if (node.additionalProperties === false) delete node.additionalProperties
    },
  })
  return { $schema, title: event.type, description: event.summary, ...schema }
}

const ABOUT = `Listings go in, decisions come out. JSON in UTF-8, as CloudEvents 1.0 in Kafka's binary mode. Touchstone also
reads structured mode (content type application/cloudevents+json) and, on the listings topic, a bare JSON object without
ce_ headers: a submitted listing. Fields that are not named are passed over. Topic names begin with a prefix that is a
setting; \`touchstone\` is the default. The key of every record is the listing's id, so its events keep their order.`

function asyncApi(): Map<string, string> {
  const names = topicNames('touchstone')
  const topics = [...new Set(EVENTS.map((event) => event.topic))]
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Touchstone',
      version: packageVersion(),
      description: ABOUT.replaceAll('\n', ' '),
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      [...topics, 'deadLetters' as const].map((topic) => [topic, channel(topic, names[topic])]),
    ),
    operations: Object.fromEntries([...topics, 'deadLetters' as const].flatMap(operations)),
    components: {
      messages: {
        ...Object.fromEntries(EVENTS.map((event) => [event.type, message(event)])),
        deadLetter: deadLetter(),
      },
    },
  }
  return new Map([['asyncapi.yaml', stringify(document, { lineWidth: 120, aliasDuplicateObjects: false })]])
}

const carried = (topic: TopicName): string[] =>
  topic === 'deadLetters' ? ['deadLetter'] : EVENTS.filter((event) => event.topic === topic).map((event) => event.type)

function channel(topic: TopicName, address: string): object {
  const { partitions, retentionHours } = TOPICS[topic]
  return {
    address,
    messages: Object.fromEntries(carried(topic).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: {
      kafka: {
        partitions,
        topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': retentionHours * 3_600_000 },
        bindingVersion: '0.5.0',
      },
    },
  }
}

/** A topic that we read and write has an operation for each. */
function operations(topic: TopicName): [string, object][] {
  const directions = new Set(EVENTS.filter((event) => event.topic === topic).map((event) => event.direction))
  const actions = [
    ...(directions.has('in') || directions.has('both') ? ['receive'] : []),
    ...(directions.has('out') || directions.has('both') || topic === 'deadLetters' ? ['send'] : []),
  ]
  const messages = carried(topic).map((message) => ({ $ref: `#/channels/${topic}/messages/${message}` }))
  return actions.map((action) => [
    `${action}${topic.charAt(0).toUpperCase()}${topic.slice(1)}`,
    { action, channel: { $ref: `#/channels/${topic}` }, messages },
  ])
}

const text = { type: 'string' }
const KEY = { kafka: { key: { type: 'string', description: 'The listing’s id.' }, bindingVersion: '0.5.0' } }

function message(event: EventDefinition): object {
  const { data, type, ...attributes } = exampleOf(event)
  const headers = Object.entries(attributes).filter(([name]) => name !== 'datacontenttype')
  return {
    name: type,
    title: type,
    summary: event.summary,
    contentType: 'application/json',
    headers: {
      type: 'object',
      properties: {
        ce_specversion: { const: '1.0' },
        ce_type: { const: type },
        ce_id: text,
        ce_source: text,
        ce_time: { type: 'string', format: 'date-time' },
        ce_subject: { type: 'string', description: 'The listing’s id.' },
      },
      required:
        event.direction === 'out' ? ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_subject'] : [],
    },
    payload: { $ref: `./${schemaPath(event)}` },
    bindings: KEY,
    examples: [
      {
        name: 'example',
        headers: { ...Object.fromEntries(headers.map(([n, v]) => [`ce_${n}`, v])), ce_type: type },
        payload: data,
      },
    ],
  }
}

const TRUNCATED =
  `Only where the record was larger than this topic takes, as one may be that was compressed: it is cut, and this
JSON object says what of it: valueBytes and keyBytes, their sizes before the cut, and headersLeftOut, a count. The original
is at the topic, partition and offset of the other headers for as long as it is kept there.`.replaceAll('\n', ' ')

function deadLetter(): object {
  const at = { topic: '', partition: 0, offset: 0n }
  const record = { key: null, value: null, headers: {} }
  const why = { code: 'not-json', message: '', stage: '', attempts: 1 } as const
  const { headers } = deadLetterRow(record, why, at, { now: new Date(0), maxBytes: Infinity })
  const names = Object.keys(headers)
  const properties = {
    ...Object.fromEntries(names.map((name) => [name, text])),
    'touchstone-error-truncated': { ...text, description: TRUNCATED },
  }
  return {
    name: 'deadLetter',
    title: 'A record that could not be read',
    summary: 'The original key, value and headers, untouched, and why it is here in headers of ours.',
    contentType: 'application/octet-stream',
    headers: { type: 'object', properties, required: names },
    payload: { description: 'The original bytes, whatever they are; their beginning where the record was cut.' },
    bindings: { kafka: { key: { description: 'The original key.' }, bindingVersion: '0.5.0' } },
  }
}

function exampleOf(event: EventDefinition): Record<string, unknown> {
  const file = new URL(`../fixtures/events/${event.type}.json`, import.meta.url)
  return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')))
}

function packageVersion(): string {
  const file = new URL('../package.json', import.meta.url)
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version
}

/** What `GET /openapi.json` answers. Only routes and their schemas are looked at, so nothing they would call is needed. */
async function openApi(): Promise<ReadonlyMap<string, string>> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const limits = { listingBytes: 1, ndjsonBytes: 1, ndjsonLines: 1, pictureBytes: 1, requestsPerMinute: 1 }
  const intake: Pick<Intake, 'topic' | 'group'> = { topic: '', group: '' }
  const described: Partial<ApiDependencies> = {
    intake: intake as Intake,
    log: createTelemetry({ level: 'silent' }).log,
    limits,
    publicUrl: undefined,
    version,
    signals: [],
    asyncApi: '',
  }
  const api = await createApi(described as ApiDependencies)
  await api.ready()
  const document = JSON.stringify(api.swagger(), null, 2)
  await api.close()
  return new Map([['openapi.json', `${document}\n`]])
}
