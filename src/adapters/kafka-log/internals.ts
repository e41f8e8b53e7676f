// What the adapter takes from inside kafkajs 2.2.4, typed by hand: the version is pinned because of this file.
import { createRequire } from 'node:module'
import type { Kafka, Message } from 'kafkajs'
import type { BatchContext, Unreadable } from './batches.ts'
// Before anything is read: it mends what kafkajs makes of the brokers' answers.
import './decoding.ts'

/** One broker's connection. */
interface Broker {
  readonly nodeId: string
  /** Throws a protocol error when a partition has one. */
  fetch(request: {
    /** 0: everything, 1: committed only. */
    readonly isolationLevel: number
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }): Promise<{ readonly responses: readonly { readonly partitions: readonly PartitionData[] }[] }>
  /** These four throw a protocol error when anything in the answer has one; `refusedIn` says where of a produce. */
  initProducerId(request: {
    readonly transactionalId: string
    readonly transactionTimeout: number
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
  addPartitionsToTxn(
    request: ProducerOf & {
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    },
  ): Promise<unknown>
  produce(
    request: ProducerOf & {
      readonly acks: number
      readonly timeout: number
      readonly topicData: readonly {
        readonly topic: string
        readonly partitions: readonly {
          readonly partition: number
          readonly firstSequence: number
          readonly messages: readonly Message[]
        }[]
      }[]
    },
  ): Promise<Produced>
  endTxn(request: ProducerOf & { readonly transactionResult: boolean }): Promise<unknown>
  describeGroups(request: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly { readonly members: readonly { readonly memberAssignment: Buffer }[] }[]
  }>
}

interface ProducerOf {
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number
}

interface Produced {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[]
  }[]
}

interface Metadata {
  readonly topicMetadata: readonly {
    readonly topic: string
    readonly partitionMetadata: readonly {
      readonly partitionId: number
      readonly leader: number
      readonly replicas: readonly number[]
      readonly isr: readonly number[]
    }[]
  }[]
}

export interface PartitionData {
  readonly partition: number
  readonly messages: readonly RawMessage[]
}

export interface RawMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Not what the types of kafkajs say: null values, and a list where the name is repeated or inherited by every object. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly isControlRecord: boolean
  /** Absent from batches of the old format. */
  readonly batchContext?: BatchContext
  /** It is no record but stands for a batch that cannot be read: see `refusalIn`. */
  readonly unreadable?: Unreadable
}

/** What one client knows of the brokers, and its connections to them. */
export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  /** When it is older than METADATA_AGE_MS. */
  refreshMetadataIfNecessary(): Promise<void>
  /** What metadata is asked for. */
  readonly targetTopics: Set<string>
  removeBroker(address: { readonly host: string; readonly port: number }): void
  findBroker(node: { readonly nodeId: string }): Promise<Broker>
  findGroupCoordinator(group: { readonly groupId: string; readonly coordinatorType?: number }): Promise<Broker>
  findTopicPartitionMetadata(topic: string): Metadata['topicMetadata'][number]['partitionMetadata']
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number }[]
      readonly fromBeginning: boolean
    }[],
  ): Promise<
    readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  >
}

/** Leaves out aborted and control records, and what lies below the asked offset. */
interface Batch {
  readonly messages: readonly RawMessage[]
}

const require = createRequire(import.meta.url)
const BatchOf = require('kafkajs/src/consumer/batch') as new (topic: string, from: string, data: PartitionData) => Batch
const RequestQueue = require('kafkajs/src/network/requestQueue') as {
  readonly prototype: {
    scheduleCheckPendingRequests(this: { readonly pending: readonly unknown[] }): void
    createSocketRequest(pushed: Pushed): { requestTimeout: number }
  }
}
interface Pushed {
  readonly entry: { readonly apiKey: number }
  readonly requestTimeout?: number | null
}

const Connection = require('kafkajs/src/network/connection') as {
  readonly prototype: { connect(this: { readonly socketFactory: object }): Promise<unknown> }
}

/** The records of an answer that a reader of committed records may see, from an offset on. */
export function visible(topic: string, from: bigint, data: PartitionData): readonly RawMessage[] {
  return new BatchOf(topic, from.toString(), data).messages
}

/** A cluster of its own with the settings of a client; sees offsets up to the high watermark. */
export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster')
  const create = symbol && (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]
  if (create === undefined) throw new Error('This is not kafkajs 2.2.4')
  return create({ allowAutoTopicCreation: false, metadataMaxAge: METADATA_AGE_MS, isolationLevel: 0 })
}

const answers = [3, 4, 5, 6, 7].map(
  (version) =>
    require(`kafkajs/src/protocol/requests/produce/v${version}/response`) as {
      parse(answer: Produced): Promise<Produced>
    },
)
// All of them are refused for the sake of one: the others are said not to have been tried, and the first would be thrown.
const NOT_ATTEMPTED = 55
interface Joined {
  readonly errors: readonly {
    readonly topic: string
    readonly partitionErrors: readonly { readonly partition: number; readonly errorCode: number }[]
  }[]
}
for (const version of [0, 1]) {
  const joined = require(`kafkajs/src/protocol/requests/addPartitionsToTxn/v${version}/response`) as {
    parse(answer: Joined): Promise<Joined>
  }
  const { parse } = joined
  joined.parse = async (data) => {
    const reasons = data.errors.map(({ topic, partitionErrors }) => ({
      topic,
      partitionErrors: partitionErrors.filter(({ errorCode }) => errorCode !== 0 && errorCode !== NOT_ATTEMPTED),
    }))
    return parse(
      reasons.some(({ partitionErrors }) => partitionErrors.length > 0) ? { ...data, errors: reasons } : data,
    )
  }
}

const refusals = new WeakMap<object, Produced>()
for (const answer of answers) {
  const { parse } = answer
  answer.parse = async (data) => {
    try {
      return await parse(data)
    } catch (error) {
      if (error instanceof Error) refusals.set(error, data)
      throw error
    }
  }
}

/** The partitions that a produce was refused for: kafkajs throws the error of the first and does not say whose it is. */
export function refusedIn(error: unknown): readonly { readonly topic: string; readonly partition: number }[] {
  const answer = error instanceof Error ? refusals.get(error) : undefined
  return (answer?.topics ?? []).flatMap(({ topicName, partitions }) =>
    partitions.filter(({ errorCode }) => errorCode !== 0).map(({ partition }) => ({ topic: topicName, partition })),
  )
}

// A leader that moved is noticed by its error; partitions that were added only by looking.
const METADATA_AGE_MS = 30_000

// After every answer it sets a timer for requests that wait, also when none does, and then with a negative time: a warning
// of Node to the user, and a timer per answer for nothing. What waits later sets its own.
const schedule = RequestQueue.prototype.scheduleCheckPendingRequests
RequestQueue.prototype.scheduleCheckPendingRequests = function check() {
  if (this.pending.length > 0) schedule.call(this)
}

// The first question on a connection is part of making it, and kafkajs means it to have that time; but it takes the longer
// one of that and what any answer may take, and each client that meets a frozen broker loses it.
const API_VERSIONS = 18
const createRequest = RequestQueue.prototype.createSocketRequest
RequestQueue.prototype.createSocketRequest = function create(pushed) {
  const request = createRequest.call(this, pushed)
  if (pushed.entry.apiKey === API_VERSIONS && typeof pushed.requestTimeout === 'number')
    request.requestTimeout = pushed.requestTimeout
  return request
}

/**
 * No connection of a client with this socket factory is made any more. A factory that throws would not do: kafkajs takes
 * that for a broker that is away, and tries again.
 */
export const refuseConnections = (socketFactory: object): void => void refused.add(socketFactory)
const refused = new WeakSet<object>()
const connect = Connection.prototype.connect
Connection.prototype.connect = async function open() {
  // kafkajs looks at nothing but this property, and its own classes cannot be imported by name.
  if (refused.has(this.socketFactory)) throw Object.assign(new Error('The client is closed'), { retriable: false })
  return connect.call(this)
}
