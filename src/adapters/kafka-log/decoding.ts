// What kafkajs 2.2.4 reads wrongly or without a bound in what the brokers answer, done here in its place.
import { createRequire } from 'node:module'
import { readRecords, type BatchContext, type Decoder } from './batches.ts'

interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** What the search for aborted records needs of a record as it lies in the log. */
export interface Transacted {
  readonly offset: string
  readonly key: Buffer | null
  isControlRecord: boolean
  readonly batchContext?: Pick<BatchContext, 'producerId' | 'inTransaction'>
}

export interface Answered {
  readonly messages: readonly Transacted[]
  /** Null or absent: all are to be seen. In the order in which they ended, which is not that in which they began. */
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null
}

interface Answer {
  readonly responses: readonly { readonly partitions: readonly Answered[] }[]
}

const require = createRequire(import.meta.url)
const { KafkaJSConnectionError } = require('kafkajs/src/errors') as {
  KafkaJSConnectionError: new (message: string) => Error
}
const { prototype: decoding } = require('kafkajs/src/protocol/decoder') as {
  prototype: { readVarIntArray(reader: unknown): Header[] }
}
const { prototype: broker } = require('kafkajs/src/broker') as {
  prototype: { fetch(request: object): Promise<Answer>; connect(): Promise<void>; disconnect(): Promise<void> }
}

// kafkajs asks for this file when it reads its first answer, which is later.
const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
require(path)
const module = require.cache[path]
if (module === undefined) throw new Error('This is not kafkajs 2.2.4')
module.exports = async (answer: Decoder) => readRecords(answer)

/**
 * kafkajs copies all headers before it with every header: one record of 50 KB with 10,000 of them stops the process for
 * 20 seconds, and then whoever takes over. Only headers are read by this method, and nothing but `reduce` is asked of
 * what it returns.
 */
const readArray = decoding.readVarIntArray
decoding.readVarIntArray = function readHeaders(reader) {
  const headers = readArray.call(this, reader)
  return Object.assign(headers, { reduce: () => gathered(headers) })
}

/** As kafkajs gives them: a list of values where a name is repeated. */
function gathered(headers: readonly Header[]): object {
  const byName = new Map<string, Header['value'] | Header['value'][]>()
  for (const { key, value } of headers) {
    const before = byName.get(key)
    if (Array.isArray(before)) before.push(value)
    else byName.set(key, byName.has(key) ? [before ?? null, value] : value)
  }
  return Object.fromEntries(byName)
}

/**
 * Says of aborted records that they are control records, which nobody gets to see. kafkajs takes the aborted transactions
 * for sorted by where they began, one for each record, and any record whose key is four zero bytes for the end of one: it
 * hands out records of transactions that lay in each other.
 */
export function hideAborted(answered: Answered): void {
  const began = (answered.abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, first: BigInt(firstOffset) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1))
  answered.abortedTransactions = []
  if (began.length === 0) return
  const aborting = new Set<string>()
  let next = 0
  for (const message of answered.messages) {
    const offset = BigInt(message.offset)
    for (let one = began[next]; one !== undefined && one.first <= offset; one = began[next]) {
      aborting.add(one.producerId)
      next += 1
    }
    const { batchContext: batch } = message
    if (batch === undefined || !aborting.has(batch.producerId)) continue
    // The mark says version 0 and kind 0: aborted.
    if (message.isControlRecord) {
      if (message.key?.equals(ABORTED) === true) aborting.delete(batch.producerId)
    } else if (batch.inTransaction) message.isControlRecord = true
  }
}

const ABORTED = Buffer.alloc(4)

/**
 * A broker that takes a connection and then says nothing (frozen, swapping, out of memory) is one that cannot be reached.
 * kafkajs keeps the socket, takes it for connected at the next try, fails for good because it does not know what the
 * broker can do, and never tries another one of the list.
 */
const connect = broker.connect
broker.connect = async function reach() {
  try {
    await connect.call(this)
  } catch (error) {
    await this.disconnect()
    if (error instanceof Error && error.name === 'KafkaJSRequestTimeoutError')
      throw new KafkaJSConnectionError(`Connection timeout: ${error.message}`)
    throw error
  }
}

const fetch = broker.fetch
broker.fetch = async function fetchAll(request) {
  const answer = await fetch.call(this, request)
  for (const { partitions } of answer.responses) for (const answered of partitions) hideAborted(answered)
  return answer
}
