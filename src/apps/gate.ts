// The whole gate in one process: opened from the store outwards, closed in reverse, so that nothing loses what it stands on.
import { createDecisionReader } from '../adapters/postgres/decision-reader.ts'
import { isDataError } from '../adapters/postgres/data-error.ts'
import { readOffsets } from '../adapters/postgres/examine.ts'
import { createGateStore } from '../adapters/postgres/gate-store.ts'
import { createOutbox } from '../adapters/postgres/outbox.ts'
import { createReferenceStore } from '../adapters/postgres/reference-store.ts'
import { isTransient } from '../adapters/postgres-log/connection.ts'
import { createPostgresLog } from '../adapters/postgres-log/postgres-log.ts'
import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import { TOPICS, topicNames, type TopicName, type TopicNames } from '../events/topics.ts'
import { watchBacklog, type BacklogWatch } from '../pipeline/backlog.ts'
import { createClock } from '../pipeline/deadlines.ts'
import { createLoop, type Loop } from '../pipeline/loop.ts'
import type { GateStore, Log, Publisher } from '../pipeline/ports.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import { createPublishing } from '../pipeline/publishing.ts'
import { followReference, type LiveGate } from '../pipeline/reference.ts'
import { startRun, type Run } from '../pipeline/run.ts'
import { createScreening } from '../pipeline/screening.ts'
import type { Telemetry } from '../telemetry.ts'
import { gateParts } from './gate-parts.ts'
import { seedReference } from './seed.ts'
import { openDatabase, type OpenDatabase } from './store.ts'

/** Members of this group share the listings topic; its offsets are in the store. */
export const GATE_GROUP = 'touchstone-gate'

export interface RunningGate {
  readonly topics: TopicNames
  readonly database: OpenDatabase
  readonly log: Log
  readonly store: GateStore
  readonly publisher: Publisher
  readonly reader: ReturnType<typeof createDecisionReader>
  readonly reference: ReferenceStore
  readonly live: LiveGate
  readonly run: Run
  /** How far the worker is behind. */
  readonly backlog: BacklogWatch
  readonly loops: Readonly<Record<'publisher' | 'clock' | 'janitor', Loop>>
  /** Calls back whenever decisions were written here; returns the way to stop. */
  readonly onDecided: (listener: () => void) => () => void
  stop(): Promise<void>
}

/** Rows that one publishing transaction moves at most. */
const PUBLISH_ROWS = 2_000
/** Expired rows are deleted in small bites, this often. */
const JANITOR_MS = 60_000
/** The offsets are a handful of rows: a store that needs longer for them does not answer. */
const OFFSETS_MS = 2_000

export async function startGate(
  config: Config,
  telemetry: Telemetry,
  say: (message: string) => void,
): Promise<RunningGate> {
  const closing: (() => Promise<void>)[] = []
  let stopping = false
  const close = async () => {
    stopping = true
    // With a dead database some steps fail; the others still end, or a loop would keep the process alive for ever.
    for (const step of closing.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        telemetry.log.warn({ err: messageOf(error) }, 'a part did not stop in order')
      }
    }
  }
  try {
    // While we stop, the embedded server ends connections that are on their way out anyhow.
    const onError = (error: Error) =>
      telemetry.log[stopping ? 'debug' : 'warn']({ err: error.message }, 'a database connection broke')
    // Before the database: a file that is wrong must not leave a server behind.
    const parts = await gateParts({
      currencies: config.TOUCHSTONE_CURRENCIES,
      budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
    })
    const opened = await openDatabase(config, { applicationName: 'touchstone start', say, onError, beside: false })
    closing.push(() => opened.close())
    const { database, url } = opened
    const topics = topicNames(config.TOUCHSTONE_TOPIC_PREFIX)

    const log = createPostgresLog({ url, onError })
    closing.push(() => log.close())
    const outputs: Record<string, number> = {}
    for (const name of Object.keys(TOPICS) as TopicName[]) {
      await log.ensureTopic(topics[name], {
        partitions: config.TOUCHSTONE_PARTITIONS,
        retentionHours: TOPICS[name].retentionHours,
      })
      if (name !== 'listings') outputs[topics[name]] = (await log.ranges(topics[name])).length
    }

    const store = await createGateStore({ pool: database.deciding, outputs })
    const reference = createReferenceStore({ pool: database.reading, listener: database.listener })
    await seedReference(reference)
    const live = await followReference(reference, parts, telemetry)
    closing.push(() => live.stop())

    const outbox = createOutbox({ pool: database.deciding, owner: `${hostname()}/${process.pid}` })
    const publisher: Publisher = {
      async publish() {
        const touched = new Set<string>()
        const published = await outbox.drain(PUBLISH_ROWS, async (rows, client) => {
          for (const [topic, some] of Map.groupBy(rows, (row) => row.topic)) {
            await log.appendInTransaction(
              client,
              topic,
              some.map((row) => ({ partition: row.partition, record: row })),
            )
            touched.add(topic)
          }
        })
        if (touched.size > 0) await log.appended(touched)
        return published
      },
      backlog: () => outbox.backlog(),
      release: () => outbox.release(),
    }
    closing.push(() => publisher.release())
    const publishing = createPublishing(publisher, telemetry)
    closing.push(() => publishing.stop())

    const listeners = new Set<() => void>()
    const decided = () => {
      publishing.nudge()
      for (const listener of listeners) listener()
    }
    const clock = createClock({ store, topics, telemetry, decided })
    closing.push(() => clock.stop())
    const janitor = createLoop('janitor', telemetry.log, async () => {
      const more = (await outbox.prune(config.TOUCHSTONE_OUTBOX_HOURS * 3_600)) + (await log.prune())
      return more > 0 ? 1_000 : JANITOR_MS
    })
    closing.push(() => janitor.stop())

    const run = startRun({
      log,
      store,
      topics,
      group: GATE_GROUP,
      telemetry,
      screen: createScreening({
        store,
        gate: live.current,
        topics,
        group: GATE_GROUP,
        telemetry,
        maxListingBytes: config.TOUCHSTONE_MAX_LISTING_BYTES,
        isDataError,
        decided,
      }),
      maxRecords: config.TOUCHSTONE_BATCH_RECORDS,
      maxBytes: config.TOUCHSTONE_BATCH_BYTES,
      concurrency: config.TOUCHSTONE_CONCURRENCY,
      isTransient,
    })
    closing.push(() => run.stop())
    const wanted = { group: GATE_GROUP, topic: topics.listings }
    const backlog = watchBacklog({
      log,
      logger: telemetry.log,
      ...wanted,
      offsets: () => readOffsets(database.reading, wanted, OFFSETS_MS),
      held: () => run.progress().held,
    })
    closing.push(() => backlog.stop())

    return {
      topics,
      database: opened,
      log,
      store,
      publisher,
      reader: createDecisionReader({ pool: database.reading, decisions: topics.decisions }),
      reference,
      live,
      run,
      backlog,
      loops: { publisher: publishing, clock, janitor },
      onDecided(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      stop: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
