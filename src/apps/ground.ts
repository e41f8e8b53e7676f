// What every process stands on: the database, the log with its topics, the reference data that it follows.
import { join } from 'node:path'
import { createDecisionReader } from '../adapters/postgres/decision-reader.ts'
import { readAuditSecret } from '../adapters/postgres/audit-secret.ts'
import { readOffsets } from '../adapters/postgres/examine.ts'
import { createBankStore } from '../adapters/postgres/bank-store.ts'
import { createModelStore } from '../adapters/postgres/model-store.ts'
import { createPictureStore } from '../adapters/postgres/picture-store.ts'
import { createReferenceStore } from '../adapters/postgres/reference-store.ts'
import type { Config } from '../config.ts'
import { topicNames, type TopicName, type TopicNames } from '../events/topics.ts'
import type { Gate } from '../pipeline/assess.ts'
import { createDraw, type Draw } from '../pipeline/audit.ts'
import { watchBacklog, type BacklogWatch } from '../pipeline/backlog.ts'
import type { ModelStore } from '../learning/ports.ts'
import { followBanks, type LiveBanks } from '../pipeline/bank-index.ts'
import { createLookForOfficials } from '../pipeline/banks/officials.ts'
import type { PictureStore } from '../pipeline/pictures/ports.ts'
import { followReference, type LiveGate } from '../pipeline/reference.ts'
import type { Log } from '../pipeline/log/ports.ts'
import type { LookForOfficials } from '../pipeline/verdicts/ports.ts'
import type { BankStore } from '../rights/bank-ports.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { createClosing } from './closing.ts'
import { gateParts } from './gate-parts.ts'
import { assertNotMoved } from './moved-log.ts'
import { openLog, reachLog } from './log.ts'
import { openPictures, type OpenPictures } from './pictures.ts'
import type { OpenLog } from './open-log.ts'
import { snapshotFile } from './snapshot-file.ts'
import { seedReference } from './seed.ts'
import { openDatabase, type OpenDatabase } from './store.ts'
import { openTextModels, type TextModels } from './text-models.ts'
import { wantedTopics } from './topics.ts'

export interface Ground {
  readonly topics: TopicNames
  readonly groups: Groups
  readonly database: OpenDatabase
  readonly log: Log
  readonly openLog: OpenLog
  /** Partitions of every topic that decisions, verdicts and dead letters go to. */
  readonly outputs: Readonly<Record<string, number>>
  readonly reader: ReturnType<typeof createDecisionReader>
  readonly reference: ReferenceStore
  readonly models: ModelStore
  readonly text: TextModels
  readonly live: LiveGate
  readonly bankStore: BankStore
  readonly banks: LiveBanks
  readonly pictureStore: PictureStore
  readonly pictures: OpenPictures
  /** Which pictures of cases are the brands' own, so that no verdict makes them known fakes. */
  readonly officials: LookForOfficials
  /** Which allowed listings are looked at all the same. */
  readonly draw: Draw
  /** What a listing is tried against now: brands, policy and models as they are, with pictures and banks. */
  readonly gateNow: () => Gate
  stop(): Promise<void>
}

/** Members of a group share the partitions of its topic; the offsets are in the store. */
export interface Groups {
  readonly listings: string
  readonly verdicts: string
}

/** Named after the topics: deployments with different prefixes may share one Kafka, and must not share a group. */
export const groupNames = (prefix: string): Groups => ({ listings: `${prefix}-gate`, verdicts: `${prefix}-verdicts` })

/** The offsets are a handful of rows: a store that needs longer for them does not answer. */
const OFFSETS_MS = 2_000

/** Brokers that are started together with us take some seconds; whoever waits longer has a wrong address. */
const REACH_MS = 8_000

/** `program` is the command that stands on it, for the logs of database and brokers. */
export async function openGround(
  config: Config,
  telemetry: Telemetry,
  say: (message: string) => void,
  program: string,
): Promise<Ground> {
  const closing = createClosing(telemetry.log)
  try {
    // While we stop, the embedded server ends connections that are on their way out anyhow.
    const onError = (error: Error) =>
      telemetry.log[closing.begun ? 'debug' : 'warn']({ err: error.message }, 'a connection broke')
    // Before the database: a file that is wrong must not leave a server behind.
    const text = await openTextModels({ threads: config.TOUCHSTONE_TEXT_THREADS, logger: telemetry.log })
    closing.add(() => text.close())
    const parts = await gateParts({
      currencies: config.TOUCHSTONE_CURRENCIES,
      budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
      textModel: text.shipped,
    })
    await reachLog({ config, program, telemetry }, REACH_MS, say)
    const database = await openDatabase(config, {
      applicationName: `touchstone ${program}`,
      say,
      onError,
      beside: false,
    })
    closing.add(() => database.close())
    const topics = topicNames(config.TOUCHSTONE_TOPIC_PREFIX)
    const groups = groupNames(config.TOUCHSTONE_TOPIC_PREFIX)
    if (config.KAFKA_BROKERS !== undefined) {
      const inputs = (['listings', 'verdicts'] as const).map((name) => ({ topic: topics[name], group: groups[name] }))
      await assertNotMoved(database.database.reading, inputs)
    }
    const opened = await openLog({ config, url: database.url, program, telemetry, onError })
    closing.add(() => opened.close())
    const outputs: Record<string, number> = {}
    for (const { name, topic, ...options } of wantedTopics(config)) {
      await opened.log.ensureTopic(topic, options)
      if (name !== ('listings' satisfies TopicName)) outputs[topic] = (await opened.log.ranges(topic)).length
    }
    const { reading, listener } = database.database
    const draw = createDraw(await readAuditSecret(reading))
    const reference = createReferenceStore({ pool: reading, listener })
    await seedReference(reference)
    const models = createModelStore(reading)
    const live = await followReference(reference, parts, telemetry, { store: models, text })
    closing.add(() => live.stop())
    const bankStore = createBankStore({ pool: reading, listener })
    const banks = await followBanks(bankStore, telemetry, {
      snapshot: snapshotFile(join(config.TOUCHSTONE_DATA_DIR, 'banks.snapshot')),
    })
    closing.add(() => banks.stop())
    const pictures = openPictures(config, telemetry, 'fetch', 'noted')
    closing.add(() => pictures.close())
    return {
      topics,
      groups,
      database,
      log: opened.log,
      openLog: opened,
      outputs,
      reader: createDecisionReader({ pool: reading, decisions: topics.decisions }),
      reference,
      models,
      text,
      live,
      bankStore,
      banks,
      pictureStore: createPictureStore(reading),
      pictures,
      officials: createLookForOfficials(() => banks.current()),
      draw,
      gateNow: () => ({ ...live.current(), pictures: pictures.source, banks: banks.current() }),
      stop: () => closing.close(),
    }
  } catch (error) {
    await closing.close()
    throw error
  }
}

/** How far the group is behind on a topic; `held` says which partitions this process works on. */
export function watchInput(
  ground: Pick<Ground, 'database' | 'log'>,
  input: { readonly topic: string; readonly group: string },
  telemetry: Telemetry,
  held: () => readonly number[],
): BacklogWatch {
  return watchBacklog({
    log: ground.log,
    logger: telemetry.log,
    ...input,
    offsets: () => readOffsets(ground.database.database.reading, input, OFFSETS_MS),
    held,
  })
}
