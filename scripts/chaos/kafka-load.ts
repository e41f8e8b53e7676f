// What goes into the listings topic of a chaos run: every kind of record that a gate must end, from one seed.
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { IHeaders, Producer } from 'kafkajs'
import { SENT_AS, SENT_NO } from './kafka-foresee.ts'

export interface LoadRecord {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: IHeaders
}

interface Sent {
  readonly listingId: string
  revision: number
  readonly data: Record<string, unknown>
}

const BRANDS = ['Rolex', 'Nike', 'Old', 'Gucci', 'Hand-made', 'Canon', 'Zara']
const GOODS = ['watch', 'shoes', 'bag', 'chair', 'camera', 'jacket']
const NOTES = ['AAA replica', 'as new', 'size 42', 'with box', 'vintage', 'mirror quality']
const UNREADABLE = ['{"listingId":', '[1,2,3]', '"a text"', '{"revision":1,"title":"no name"}', 'null', '\u0000']

/** Mulberry32: a run can be repeated from its seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** So many records in the order in which they are to be sent; numbered from 0. */
export function* makeLoad(records: number, partitions: number, seed: number): Generator<LoadRecord> {
  const random = randomFrom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const sent: Sent[] = []
  const title = (): string => `${pick(BRANDS)} ${pick(GOODS)} ${pick(NOTES)} ${Math.floor(random() * 1e6)}`
  const fresh = (number: number): Record<string, unknown> => ({
    listingId: `K-${seed}-${number}`,
    revision: 1,
    sellerId: `S-${number % 97}`,
    title: title(),
    description: `${pick(NOTES)}, ${pick(NOTES)}. Shipping within two working days. `.repeat(1 + (number % 4)),
    price: { amount: Math.round(random() * 50_000) / 100, currency: 'USD' },
  })
  for (let number = 0; number < records; number += 1) {
    const kind = random()
    const earlier = sent.length === 0 ? undefined : pick(sent)
    const place = (id: string | null) => (id === null ? Math.floor(random() * partitions) : crc32(id) % partitions)
    const record = (
      as: string,
      data: Record<string, unknown>,
      type = 'listing.submitted',
      keyless = false,
    ): LoadRecord => {
      const id = String(data['listingId'])
      const { value, headers } = wrapped(
        data,
        `touchstone.${type}.v1`,
        number,
        as === 'withdrawal' ? random() * 0.8 : random(),
      )
      return {
        partition: place(keyless ? null : id),
        key: keyless ? null : Buffer.from(id),
        value,
        headers: { ...headers, [SENT_AS]: as, [SENT_NO]: String(number) },
      }
    }
    if (kind < 0.02) {
      const text = random() < 0.2 ? null : pick(UNREADABLE)
      const key = random() < 0.5 ? null : `K-${seed}-unreadable-${number}`
      yield {
        partition: place(key),
        key: key === null ? null : Buffer.from(key),
        value: text === null ? null : Buffer.from(text),
        headers: { [SENT_AS]: 'unreadable', [SENT_NO]: String(number), odd: Buffer.from([0xff, 0x00, 0xfe]) },
      }
    } else if (kind < 0.04) yield record('invalid', { ...fresh(number), price: { amount: -1, currency: 'USD' } })
    else if (kind < 0.05) yield record('listing', fresh(number), 'listing.submitted', true)
    else if (earlier === undefined || kind < 0.75) {
      const data = fresh(number)
      sent.push({ listingId: String(data['listingId']), revision: 1, data })
      yield record('listing', data)
    } else if (kind < 0.81) yield record('listing', earlier.data)
    else if (kind < 0.91) {
      // A step of two leaves room for one that comes too late.
      earlier.revision += random() < 0.3 ? 2 : 1
      const data = { ...earlier.data, revision: earlier.revision, title: title() }
      sent.push({ listingId: earlier.listingId, revision: earlier.revision, data })
      yield record('listing', data, 'listing.revised')
    } else if (kind < 0.94) yield record('listing', { ...earlier.data, title: title() }, 'listing.revised')
    else if (kind < 0.97)
      yield record('listing', { ...earlier.data, revision: Math.max(1, earlier.revision - 1), title: title() })
    else yield record('withdrawal', { listingId: earlier.listingId, revision: earlier.revision }, 'listing.withdrawn')
  }
}

/** As CloudEvents in binary or structured mode, or a bare object; `how` from 0 to 1. */
function wrapped(data: unknown, type: string, number: number, how: number): { value: Buffer; headers: IHeaders } {
  const attributes = { specversion: '1.0', id: `load-${number}`, source: 'urn:chaos', type }
  if (how < 0.6) {
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]))
    return { value: Buffer.from(JSON.stringify(data)), headers: { ...headers, 'content-type': 'application/json' } }
  }
  if (how < 0.8)
    return {
      value: Buffer.from(JSON.stringify({ ...attributes, data })),
      headers: { 'content-type': 'application/cloudevents+json' },
    }
  return { value: Buffer.from(JSON.stringify(data)), headers: {} }
}

/** Records of one send: one partition each, since kafkajs loses records of a send over several when a leader dies. */
const CHUNK = 200

/**
 * Sends a load, as fast as the brokers take it or at so many a second, and returns the numbers of the acknowledged. A
 * send that fails is sent again: the topic then has a repeat, which the count reads like any other.
 */
export async function sendLoad(
  producer: Producer,
  topic: string,
  load: Iterable<LoadRecord>,
  perSecond: number | undefined,
  progress: (sent: number) => void,
): Promise<number[]> {
  const acknowledged: number[] = []
  const queues = new Map<number, { waiting: LoadRecord[]; sending: Promise<void> }>()
  let given = 0
  const send = async (records: readonly LoadRecord[]): Promise<void> => {
    for (;;) {
      try {
        await producer.send({ topic, acks: -1, messages: [...records] })
        break
      } catch {
        await sleep(100)
      }
    }
    for (const record of records) acknowledged.push(Number(record.headers[SENT_NO]))
    progress(acknowledged.length)
  }
  const flush = (partition: number): Promise<void> => {
    const queue = queues.get(partition)
    if (queue === undefined || queue.waiting.length === 0) return queue?.sending ?? Promise.resolve()
    const records = queue.waiting.splice(0)
    // One after the other, so that the records of a listing keep their order.
    queue.sending = queue.sending.then(() => send(records))
    return queue.sending
  }
  const began = performance.now()
  for (const record of load) {
    const queue = queues.get(record.partition) ?? { waiting: [], sending: Promise.resolve() }
    queues.set(record.partition, queue)
    queue.waiting.push(record)
    given += 1
    if (perSecond === undefined) {
      if (queue.waiting.length >= CHUNK) await flush(record.partition)
    } else if (given > ((performance.now() - began) / 1_000) * perSecond) {
      for (const partition of queues.keys()) void flush(partition)
      await sleep(20)
    }
  }
  await Promise.all([...queues.keys()].map(flush))
  return acknowledged
}
