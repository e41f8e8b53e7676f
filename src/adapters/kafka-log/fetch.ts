// Reads a partition without joining a group: for tools, for what waits, and for the publisher's look at the end of a topic.
import { TouchstoneError } from '../../errors.ts'
import type { LogRecord } from '../../pipeline/log/ports.ts'
import { typeOf } from './errors.ts'
import { visible, type Cluster, type PartitionData, type RawMessage } from './internals.ts'
import { recordOf } from './records.ts'
import { assertKnown, createSession, type Session, type SessionOptions } from './session.ts'
import { refusalIn } from './unreadable.ts'

interface Place {
  readonly topic: string
  readonly partition: number
}

export interface FetchOptions {
  /** Of the answer, as the records lie in the log; one batch that is larger comes whole. */
  readonly maxBytes: number
  /** `committed` (also without this): nothing of transactions that were aborted or are still open. */
  readonly isolation?: 'committed' | 'uncommitted'
}

export interface Fetched {
  readonly records: readonly LogRecord[]
  /** The first offset that was not looked at: also beyond aborted records and the marks of transactions. */
  readonly next: bigint
}

export interface Range {
  readonly partition: number
  readonly low: bigint
  readonly high: bigint
}

export interface Fetcher {
  /**
   * One fetch from an offset on, at once: `next` is `from` where nothing is to be had. A leader that moved is asked anew.
   * @throws TouchstoneError `offset-out-of-range`, `not-found`, `log-unavailable` after `patienceMs`, `log-forbidden`,
   * `log-unreadable` with the place when the first batch cannot be read (a `Refusal`).
   */
  fetchFrom(place: Place, from: bigint, options: FetchOptions): Promise<Fetched>
  /** First offset held and one past the last, of every partition in order; throws `not-found` for a topic that is not there. */
  ranges(topic: string): Promise<readonly Range[]>
  /** Never rejects; does not wait long for brokers that do not answer. */
  close(): Promise<void>
}

export function createFetcher(options: SessionOptions): Fetcher {
  const session = createSession(options)
  return { ...reading(session), close: async () => session.close() }
}

/** As a fetcher, on connections that others use too. */
export function reading(session: Session): Omit<Fetcher, 'close'> {
  return {
    fetchFrom: async (place, from, options) =>
      session.ask(place.topic, async (cluster) => fetchOnce(cluster, place, from, options)),
    ranges: async (topic) => session.ask(topic, async (cluster) => rangesOf(cluster, topic)),
  }
}

async function fetchOnce(
  cluster: Cluster,
  { topic, partition }: Place,
  from: bigint,
  { maxBytes, isolation = 'committed' }: FetchOptions,
): Promise<Fetched> {
  assertKnown(cluster, topic)
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  if (leader === undefined) throw new TouchstoneError('not-found', `The topic ${topic} has no partition ${partition}`)
  const broker = await cluster.findBroker({ nodeId: leader })
  const answer = await broker
    .fetch({
      isolationLevel: isolation === 'committed' ? 1 : 0,
      // What there is, at once.
      maxWaitTime: 0,
      minBytes: 0,
      maxBytes,
      topics: [{ topic, partitions: [{ partition, fetchOffset: from.toString(), maxBytes }] }],
    })
    .catch((error: unknown) => {
      throw typeOf(error) === 'OFFSET_OUT_OF_RANGE' ? outOfRange(topic, partition, from, error) : error
    })
  const data = answer.responses[0]?.partitions[0]
  if (data === undefined) throw new Error(`The broker said nothing about ${topic}[${partition}]`)
  const refusal = refusalIn(topic, partition, data.messages)
  if (refusal !== undefined) throw refusal
  return {
    records: visible(topic, from, data).map(recordOf),
    next: nextOf(from, data),
  }
}

/** From the batch and not from its last record: what clean-up took from its end would be fetched again. */
function nextOf(from: bigint, { messages }: PartitionData): bigint {
  const last = messages.at(-1)
  if (last === undefined) return from
  const next = endOfBatch(last)
  return next > from ? next : from
}

function endOfBatch({ offset, batchContext }: RawMessage): bigint {
  if (batchContext === undefined) return BigInt(offset) + 1n
  return BigInt(batchContext.firstOffset) + BigInt(batchContext.lastOffsetDelta) + 1n
}

function outOfRange(topic: string, partition: number, from: bigint, cause: unknown): TouchstoneError {
  const message = `${topic}[${partition}] does not hold the offset ${from} at which reading is to go on`
  return new TouchstoneError('offset-out-of-range', message, { cause })
}

async function rangesOf(cluster: Cluster, topic: string): Promise<readonly Range[]> {
  const partitions = assertKnown(cluster, topic).map(({ partitionId }) => ({ partition: partitionId }))
  const ask = async (fromBeginning: boolean): Promise<ReadonlyMap<number, bigint>> => {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }])
    return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]))
  }
  // Low first: what retention takes meanwhile must not make a range that ends before it begins.
  const [low, high] = [await ask(true), await ask(false)]
  return partitions
    .map(({ partition }) => ({ partition, low: low.get(partition) ?? 0n, high: high.get(partition) ?? 0n }))
    .sort((a, b) => a.partition - b.partition)
}
