// One measurement on Kafka each: a backlog worked off, or a steady rate answered, by the gate or by the bare read-and-write.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import type { Message, Producer } from 'kafkajs'
import { cpuOf, stopInOrder, type Stage, type StageProcess } from '../kafka-stage.ts'
import { makeListing } from './listings.ts'

/** Who turns listings into answers: the gate, or somebody who copies them. */
export type Kind = 'gate' | 'bare'

export interface BacklogFigures {
  /** From the first answer to the last, as a reader of committed records sees them. */
  readonly perSecond: number
  /** The same for the middle eight tenths: without the start of the later workers and without stragglers. */
  readonly perSecondMiddle: number
  /** From the start of the processes to the first answer. */
  readonly firstAnswerSeconds: number
  /** Used between the first and the last answer. */
  readonly cpuSeconds: {
    readonly kafka: number
    readonly postgres: number
    readonly workers: number
    readonly bench: number
  }
}

export interface SteadyFigures {
  readonly reached: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const PARTITIONS = 12
/** Records of one send of the backlog's load. */
const CHUNK = 500
/** The load of a steady rate goes out in bursts of so many milliseconds, one request each, as a producer with a linger sends it. */
const BURST_MS = 20
/** Joining, compiling and the first commits are not what a steady rate is about. */
const WARM_UP = 0.2
const BARE = fileURLToPath(new URL('kafka-bare.ts', import.meta.url))

const round = (n: number, digits = 1): number => Math.round(n * 10 ** digits) / 10 ** digits
export const meanRecordBytes = (): number => {
  const some = Array.from({ length: 1_000 }, (_, i) => makeListing(`M-${i}`).value.length)
  return Math.round(some.reduce((sum, n) => sum + n, 0) / some.length)
}

const messageOf = (id: string): Message & { partition: number } => {
  const { key, value, headers } = makeListing(id)
  return { key, value, headers, partition: crc32(id) % PARTITIONS }
}

interface Scene {
  readonly from: string
  readonly producer: Producer
  /** Starts so many processes of the kind; ready when it resolves. */
  start(workers: number): Promise<StageProcess[]>
  /** Calls back for every answer that becomes visible, by the listing's id. */
  readonly onAnswer: { current: (id: string) => void }
  close(): Promise<void>
}

/** Topics, database and groups that nobody used before, and a reader of committed answers that has joined. */
async function newScene(stage: Stage, kind: Kind): Promise<Scene> {
  const prefix = `bench-${randomBytes(4).toString('hex')}`
  const from = `${prefix}.listings.v1`
  const to = kind === 'gate' ? `${prefix}.decisions.v1` : `${prefix}.copies`
  const settings: Record<string, string> = {
    TOUCHSTONE_TOPIC_PREFIX: prefix,
    TOUCHSTONE_PARTITIONS: String(PARTITIONS),
  }
  if (kind === 'gate') {
    settings['DATABASE_URL'] = await stage.database()
    const made = await stage.start(['topics'], settings)
    if ((await made.gone) !== 0) throw new Error(`the topics could not be made:\n${made.lastWords()}`)
  } else {
    const admin = stage.kafka.admin()
    await admin.connect()
    const topics = [from, to].map((topic) => ({ topic, numPartitions: PARTITIONS }))
    await admin.createTopics({ topics, waitForLeaders: true })
    await admin.disconnect()
  }
  const producer = stage.kafka.producer({ maxInFlightRequests: 5 })
  const consumer = stage.kafka.consumer({ groupId: `${prefix}-reader`, readUncommitted: false, maxWaitTimeInMs: 20 })
  await Promise.all([producer.connect(), consumer.connect()])
  const joined = Promise.withResolvers<void>()
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
  const onAnswer = { current: (_id: string): void => undefined }
  await consumer.subscribe({ topics: [to], fromBeginning: true })
  await consumer.run({
    // It starts anew each time; committing would be half of what it costs the broker.
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch }) => {
      for (const { key } of batch.messages) onAnswer.current(String(key))
    },
  })
  await joined.promise
  return {
    from,
    producer,
    onAnswer,
    start: (workers) =>
      Promise.all(
        Array.from({ length: workers }, () =>
          kind === 'gate'
            ? stage.start(['worker'], settings)
            : stage.script(BARE, [stage.brokers.join(), from, to, `${prefix}-copies`]),
        ),
      ),
    async close() {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
    },
  }
}

/** Works off so many listings that wait when the processes start. */
export async function measureBacklog(
  stage: Stage,
  kind: Kind,
  workers: number,
  listings: number,
): Promise<BacklogFigures> {
  const scene = await newScene(stage, kind)
  for (let at = 0; at < listings; at += CHUNK * PARTITIONS) {
    const count = Math.min(CHUNK * PARTITIONS, listings - at)
    const messages = Array.from({ length: count }, (_, i) => messageOf(`B-${at + i}`))
    await scene.producer.send({ topic: scene.from, acks: -1, messages })
  }
  const seen: number[] = []
  const done = Promise.withResolvers<void>()
  let family: StageProcess[] = []
  const used = () => ({
    ...stage.cpu(),
    workers: family.reduce((sum, { pid }) => sum + cpuOf(pid).own, 0),
    bench: cpuOf(process.pid).own,
  })
  let atFirst = used()
  scene.onAnswer.current = () => {
    if (seen.push(performance.now()) === 1) atFirst = used()
    if (seen.length === listings) done.resolve()
  }
  const began = performance.now()
  family = await scene.start(workers)
  await patiently(done.promise, () => seen.length, family)
  const atLast = used()
  await end(family)
  await scene.close()
  const at = (share: number): number => seen[Math.min(seen.length - 1, Math.floor(share * seen.length))] ?? 0
  return {
    perSecond: round((listings / (at(1) - at(0))) * 1_000),
    perSecondMiddle: round(((listings * 0.8) / (at(0.9) - at(0.1))) * 1_000),
    firstAnswerSeconds: round((at(0) - began) / 1_000),
    cpuSeconds: {
      kafka: round(atLast.kafka - atFirst.kafka),
      postgres: round(atLast.postgres - atFirst.postgres),
      workers: round(atLast.workers - atFirst.workers),
      bench: round(atLast.bench - atFirst.bench),
    },
  }
}

/** Sends at a steady rate, and takes the time from a listing's making to the sight of its answer. */
export async function measureSteady(
  stage: Stage,
  kind: Kind,
  workers: number,
  rate: number,
  seconds: number,
): Promise<SteadyFigures> {
  const scene = await newScene(stage, kind)
  const family = await scene.start(workers)
  const made = new Map<string, number>()
  const waits: number[] = []
  const total = Math.ceil(rate * seconds)
  const done = Promise.withResolvers<void>()
  let answered = 0
  scene.onAnswer.current = (id) => {
    const since = made.get(id)
    if (since === undefined) return
    made.delete(id)
    if (Number(id.slice(2)) >= total * WARM_UP) waits.push(performance.now() - since)
    if ((answered += 1) === total) done.resolve()
  }
  const began = performance.now()
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * rate) + 1)
    const burst = Array.from({ length: due - i }, (_, n) => `R-${i + n}`)
    const messages = burst.map(messageOf)
    for (const id of burst) made.set(id, performance.now())
    if (burst.length > 0) sends.push(scene.producer.send({ topic: scene.from, acks: -1, messages }))
    i = due
    await sleep(BURST_MS)
  }
  await Promise.all(sends)
  const sentSeconds = (performance.now() - began) / 1_000
  await patiently(done.promise, () => answered, family)
  await end(family)
  await scene.close()
  waits.sort((a, b) => a - b)
  const at = (share: number): number => round(waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0)
  return { reached: round(total / sentSeconds), p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

/** Nothing new for so long means that something is broken. */
const PATIENCE_MS = 60_000

async function patiently(done: Promise<void>, progress: () => number, family: readonly StageProcess[]): Promise<void> {
  const over = done.then(() => true)
  for (let before = -1; ;) {
    if (await Promise.race([over, sleep(PATIENCE_MS, false, { ref: false })])) return
    if (progress() === before)
      throw new Error(
        `no answer for ${PATIENCE_MS / 1_000} s after ${before}:\n${family.map((one) => one.lastWords()).join('\n')}`,
      )
    before = progress()
  }
}

async function end(family: readonly StageProcess[]): Promise<void> {
  await Promise.all(family.map(stopInOrder))
}
