// HTTP around a running gate: the API with its page, the metrics on an address of their own, and the sign-in link.
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createKeyStore, createSessionStore } from '../adapters/postgres/access-store.ts'
import { createCaseReader } from '../adapters/postgres/case-reader.ts'
import { createKeptPictures } from '../adapters/postgres/kept-pictures.ts'
import { createListingSummaries } from '../adapters/postgres/listing-summaries.ts'
import { prepareOutputs } from '../adapters/postgres/outputs.ts'
import { createReviewStore } from '../adapters/postgres/review-store.ts'
import { createTrainings } from '../adapters/postgres/trainings.ts'
import { createMetricsServer } from '../api/metrics-server.ts'
import { createSecret } from '../api/secrets.ts'
import { createApi } from '../api/server.ts'
import type { Config } from '../config.ts'
import { TouchstoneError } from '../errors.ts'
import { createIntake, dryRun } from '../pipeline/intake.ts'
import { publishPolicy, rollbackPolicy } from '../pipeline/policies.ts'
import { createReview, type Review } from '../pipeline/review.ts'
import type { Telemetry } from '../telemetry.ts'
import { createGauges } from './gauges.ts'
import type { Gate } from './gate.ts'
import { shippedModels } from './learning.ts'
import { warnNotLookedUp } from './look-warning.ts'
import { PACKAGE_ROOT, VERSION } from './package-root.ts'
import { probe } from './readiness.ts'
import { createLearning } from './training.ts'

export interface RunningHttp {
  readonly url: string
  readonly metricsUrl: string
  /** A link that signs an administrator in, once, within a quarter of an hour. */
  signInLink(): Promise<string>
  readonly review: Review
  stop(): Promise<void>
}

/** How long the link that signs an administrator in is good for. */
export const LINK_SECONDS = 900

export async function startHttp(
  gate: Gate,
  config: Config,
  telemetry: Telemetry,
  failure: () => unknown,
): Promise<RunningHttp> {
  const { database } = gate.database
  const sessions = createSessionStore(database.reading)
  const review = createReview({
    // Partitions of a key are those that the store keeps, as for the workers.
    store: createReviewStore({
      pool: database.deciding,
      looking: database.reading,
      outputs: await prepareOutputs(database.deciding, gate.outputs),
      officials: gate.officials,
      elsewhere: { notKnown: warnNotLookedUp(telemetry) },
    }),
    topics: gate.topics,
    telemetry,
    dueSeconds: () => gate.live.current().policy.policy.hold.deadlineSeconds,
  })
  const learning = createLearning({
    url: gate.database.url,
    store: gate.models,
    trainings: createTrainings(database),
    reference: gate.reference,
    shipped: await shippedModels(),
    text: gate.text,
    logger: telemetry.log,
  })
  const api = await createApi({
    log: telemetry.log,
    explained: gate.openLog.explained,
    limits: {
      listingBytes: config.TOUCHSTONE_MAX_LISTING_BYTES,
      ndjsonBytes: config.TOUCHSTONE_MAX_BODY_BYTES,
      ndjsonLines: config.TOUCHSTONE_MAX_BODY_LINES,
      pictureBytes: config.TOUCHSTONE_IMAGE_MAX_BYTES,
      requestsPerMinute: config.TOUCHSTONE_REQUESTS_PER_MINUTE,
    },
    publicUrl: config.TOUCHSTONE_PUBLIC_URL,
    trustProxy: config.TOUCHSTONE_TRUST_PROXY,
    version: VERSION,
    intake: createIntake({
      log: gate.log,
      topics: gate.topics,
      group: gate.groups.listings,
      maxListingBytes: config.TOUCHSTONE_MAX_LISTING_BYTES,
    }),
    dryRun: ({ listing }) => dryRun(gate.gateNow(), listing, gate.topics, new Date()),
    publishPolicy: (document, by, basedOn) => publishPolicy(gate.reference, gate.live.current(), document, by, basedOn),
    rollbackPolicy: (by) => rollbackPolicy(gate.reference, gate.live.current(), by),
    decisions: gate.reader,
    recent: gate.reader,
    cases: createCaseReader(database.reading),
    review,
    summaries: createListingSummaries(database.reading),
    reference: gate.reference,
    learning,
    banks: gate.bankStore,
    keptPictures: createKeptPictures(database.reading),
    reader: gate.pictures.reader,
    signals: gate.live.current().signals,
    keys: createKeyStore(database.reading),
    sessions,
    probe: () => probe(gate, failure),
    ...(gate.onDecided === undefined ? {} : { hints: gate.onDecided }),
    asyncApi: await readFile(join(PACKAGE_ROOT, 'fixtures/contracts/asyncapi.yaml'), 'utf8'),
  })
  const metrics = createMetricsServer({
    registry: telemetry.registry,
    log: telemetry.log,
    refresh: createGauges(gate, telemetry),
  })
  const stop = async () => {
    await Promise.all([api.close(), metrics.close(), learning.close()])
  }
  try {
    const url = config.TOUCHSTONE_PUBLIC_URL?.replace(/\/$/, '')
    const listening = await listen(api, config.HOST, config.PORT, 'PORT')
    const metricsUrl = await listen(metrics, config.HOST, config.METRICS_PORT, 'METRICS_PORT')
    return {
      url: url ?? listening,
      metricsUrl: `${metricsUrl}/metrics`,
      review,
      async signInLink() {
        const { secret, hash } = createSecret()
        await sessions.create(hash, { subject: 'administrator', role: 'admin', brandIds: [] }, LINK_SECONDS, true)
        return `${url ?? listening}/sign-in?token=${secret}`
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** For a worker, which serves nobody: alive, making progress, and the metrics on METRICS_PORT. */
export async function startMonitor(
  gate: Gate,
  config: Config,
  telemetry: Telemetry,
  failure: () => unknown,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createMetricsServer({
    registry: telemetry.registry,
    log: telemetry.log,
    refresh: createGauges(gate, telemetry),
    probe: () => probe(gate, failure),
  })
  return { url: await listen(server, config.HOST, config.METRICS_PORT, 'METRICS_PORT'), stop: () => server.close() }
}

const taken = (host: string, port: number, setting: string) =>
  new TouchstoneError(
    'port-taken',
    `${host}:${port} is already in use; stop the other process, or set ${setting} to another port (0: any free one)`,
  )

async function listen(server: FastifyInstance, host: string, port: number, setting: string): Promise<string> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw taken(host, port, setting)
    throw error
  }
  const address = server.server.address() as AddressInfo
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

/** Says so before anything is started, rather than after the database is up. */
export async function assertPortsFree(config: Config, settings: readonly ('PORT' | 'METRICS_PORT')[]): Promise<void> {
  for (const setting of settings) {
    const port = config[setting]
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'EADDRINUSE'
            ? taken(config.HOST, port, setting)
            : new TouchstoneError('settings-invalid', `HOST, ${setting}: cannot listen there: ${error.message}`),
        ),
      )
      server.listen({ host: config.HOST, port }, () => server.close(() => resolve()))
    })
  }
}
