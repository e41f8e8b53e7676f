// Writes batches to partitions, one each: what failed is sent again by another producer, so nothing is lost and some may come twice.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import { explained, isTooLarge, isTransient, typeOf } from './errors.ts'

export interface Writer {
  /**
   * Durable on all replicas in sync when it resolves, with the offset of the first message; the others follow it without holes.
   * One batch at a time per partition. `until` is by `performance.now()`.
   * @throws TouchstoneError `too-large`, `not-found`, `log-forbidden`; `log-unavailable` when the time is over: it may have
   * been written, or be yet.
   */
  write(topic: string, partition: number, messages: Message[], until: number): Promise<bigint>
  /** Never rejects; does not wait long for brokers that do not answer. */
  close(): Promise<void>
}

/** A producer that is thrown away ends its connections when the last batch that it carries has come through. */
interface Use {
  readonly ready: Promise<Producer>
  batches: number
  discarded: boolean
}

const PAUSE_MS = 50
const FAREWELL_MS = 2_000

/** `kafka` from `createKafka` with its usual retries: a try again by the same producer is not written twice. */
export function createWriter(kafka: Kafka): Writer {
  let current: Use | undefined
  const leaving = new Set<Promise<void>>()

  function take(): Use {
    current ??= { ready: connect(kafka), batches: 0, discarded: false }
    current.batches += 1
    return current
  }

  function giveBack(use: Use, discard: boolean): void {
    use.batches -= 1
    use.discarded ||= discard
    if (use.discarded && current === use) current = undefined
    if (use.discarded && use.batches === 0) leave(use)
  }

  function leave(use: Use): void {
    const gone = use.ready.then(async (producer) => producer.disconnect()).catch(() => undefined)
    leaving.add(gone)
    void gone.then(() => leaving.delete(gone))
  }

  /**
   * After a failed send kafkajs counts on as if nothing had been written, and the broker drops the next batch as a repeated
   * one, with success: the same producer must not send again.
   */
  async function attempt(topic: string, partition: number, messages: Message[], until: number): Promise<bigint> {
    const use = take()
    let done = false
    try {
      const producer = await inTime(use.ready, until)
      // One partition a send: of several, kafkajs forgets those whose leader moves meanwhile, and says that all is well.
      const answers = await inTime(producer.send({ topic, acks: -1, messages }), until)
      const answer = answers.find((one) => one.partition === partition)
      if (answer?.baseOffset === undefined || answer.errorCode !== 0 || answers.length !== 1) {
        throw new TouchstoneError('log-unavailable', `Kafka did not confirm what was sent to ${topic}[${partition}]`)
      }
      done = true
      return BigInt(answer.baseOffset)
    } finally {
      giveBack(use, !done)
    }
  }

  return {
    async write(topic, partition, messages, until) {
      for (;;) {
        try {
          return await attempt(topic, partition, messages, until)
        } catch (error) {
          if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') throw missing(topic, partition, error)
          if (isTooLarge(error) || !isTransient(error) || performance.now() + PAUSE_MS >= until) throw explained(error)
          await sleep(PAUSE_MS)
        }
      }
    },
    async close() {
      if (current !== undefined) {
        current.discarded = true
        if (current.batches === 0) leave(current)
        current = undefined
      }
      await Promise.race([Promise.all(leaving), sleep(FAREWELL_MS, undefined, { ref: false })])
    },
  }
}

async function connect(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  try {
    await producer.connect()
    return producer
  } catch (error) {
    producer.disconnect().catch(() => undefined)
    throw error
  }
}

function missing(topic: string, partition: number, cause: unknown): TouchstoneError {
  return new TouchstoneError('not-found', `Kafka has no ${topic}[${partition}], or hides it from this user`, { cause })
}

/** The work goes on behind the caller's back: nobody can call back what a broker may already have. */
async function inTime<T>(work: Promise<T>, until: number): Promise<T> {
  const over = new AbortController()
  const late = async (): Promise<never> => {
    await sleep(Math.max(0, until - performance.now()), undefined, { signal: over.signal })
    throw new TouchstoneError(
      'log-unavailable',
      'The brokers did not confirm a write in time; it may have been written',
    )
  }
  work.catch(() => undefined)
  try {
    return await Promise.race([work, late()])
  } finally {
    over.abort()
  }
}
