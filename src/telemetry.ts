// Logs and metrics: the one catalogue of metrics, made into Prometheus collectors, and the logger that every part gets.
import { pino, type DestinationStream, type Logger } from 'pino'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export type { Logger }

/** Log-spaced from 5 ms to 1 minute: a decision in time takes well under a second, one on a bad day minutes. */
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** A signal takes microseconds to milliseconds. */
const SIGNAL_BUCKETS = [0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5]

type Kind = 'counter' | 'gauge' | 'histogram'
interface MetricEntry<K extends Kind = Kind> {
  readonly kind: K
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}
const metric = <K extends Kind>(
  kind: K,
  help: string,
  labels: readonly string[] = [],
  buckets?: readonly number[],
): MetricEntry<K> => (buckets === undefined ? { kind, help, labels } : { kind, help, labels, buckets })

/** Every metric; the table in the README equals this list, both ways (test/docs). Labels are bounded: never a listing, a seller or a URL. */
export const METRICS = {
  touchstone_listings_read_total: metric('counter', 'Records read from the listings topic that took effect'),
  touchstone_decisions_total: metric('counter', 'Decisions by outcome and stage', ['outcome', 'stage']),
  touchstone_refused_total: metric('counter', 'Listings refused, by code', ['code']),
  touchstone_dead_letters_total: metric('counter', 'Records that became dead letters, by code', ['code']),
  touchstone_duplicates_total: metric(
    'counter',
    'Records sent again with the same content, for which nothing was written',
  ),
  touchstone_withdrawals_total: metric('counter', 'Listings withdrawn'),
  touchstone_verdicts_total: metric('counter', 'Verdicts recorded, from the verdicts topic or by HTTP, by verdict', [
    'verdict',
  ]),
  touchstone_appeals_total: metric('counter', 'Answers of sellers to a hold or a block'),
  touchstone_audits_total: metric('counter', 'Allowed listings drawn for a person to look at'),
  touchstone_verdict_duplicates_total: metric(
    'counter',
    'Verdicts read that were recorded before: sent again, or written by this gate',
  ),
  touchstone_degraded_total: metric('counter', 'Decisions taken although a signal failed'),
  touchstone_pictures_total: metric('counter', 'Pictures of listings looked at, by result: seen, or why not', [
    'result',
  ]),
  touchstone_picture_seconds: metric(
    'histogram',
    'Seconds until a picture was decoded and hashed, or could not be; waiting for a thread included',
    [],
    LATENCY_BUCKETS,
  ),
  touchstone_picture_queue: metric('gauge', 'Pictures that wait for a thread that decodes them'),
  touchstone_rescreens_total: metric(
    'counter',
    'Listings tried again that were decided while a signal had failed, by a picture that has left its bank, or before all their pictures were kept: decided anew, or in vain',
    ['result'],
  ),
  touchstone_holds_released_total: metric('counter', 'Holds decided by their deadline, by outcome', ['outcome']),
  touchstone_decision_seconds: metric(
    'histogram',
    'Seconds from the log taking a listing to its screening decision being durable',
    [],
    LATENCY_BUCKETS,
  ),
  touchstone_signal_seconds: metric(
    'histogram',
    'Seconds that one signal took for one listing',
    ['signal'],
    SIGNAL_BUCKETS,
  ),
  touchstone_signals_total: metric('counter', 'Signals by state', ['signal', 'state']),
  touchstone_rule_errors_total: metric('counter', 'Policy rules that failed while running', ['rule']),
  touchstone_batches_total: metric(
    'counter',
    'Batches by result: committed, moved (another owner was faster), failed (undone and read again)',
    ['result'],
  ),
  touchstone_lag_records: metric('gauge', 'Records of the listings topic not yet decided, by partition held here', [
    'partition',
  ]),
  touchstone_lag_seconds: metric('gauge', 'Age of the oldest record not yet decided, by partition held here', [
    'partition',
  ]),
  touchstone_lag_measured_seconds: metric(
    'gauge',
    'Seconds since the lag was last measured: when it rises, the lag gauges show what was true so long ago',
  ),
  touchstone_partitions_held: metric('gauge', 'Partitions of the listings topic that this process works on'),
  touchstone_loop_idle_seconds: metric('gauge', 'Seconds since a background duty last ended a round well', ['loop']),
  touchstone_outbox_rows: metric('gauge', 'Decided but not yet published'),
  touchstone_outbox_seconds: metric('gauge', 'Age of the oldest row that is not yet published'),
  touchstone_published_total: metric('counter', 'Rows published from the outbox'),
  touchstone_publisher_takeovers_total: metric(
    'counter',
    'Times that a publisher fenced its range and looked at the end of its topics',
  ),
  touchstone_publisher_errors_total: metric(
    'counter',
    'Rounds of a publisher that failed and were begun anew, by code',
    ['code'],
  ),
  touchstone_publisher_lost_total: metric(
    'counter',
    'Published rows that the log lost and the publisher sent again, or could not send because the store no longer has them',
    ['end'],
  ),
  touchstone_open_cases: metric('gauge', 'Cases that wait for a person'),
  touchstone_oldest_case_seconds: metric('gauge', 'Age of the oldest open case'),
  touchstone_image_fetches_total: metric(
    'counter',
    'Pictures asked for by URL, by result: got, unchanged (not sent again), or why they could not be got',
    ['result'],
  ),
  touchstone_image_fetch_seconds: metric(
    'histogram',
    'Seconds until a picture asked for by URL was there, or could not be got; waiting for a connection included',
    [],
    LATENCY_BUCKETS,
  ),
  touchstone_text_queue: metric('gauge', 'Texts that wait for a thread that asks the text model'),
  touchstone_model_info: metric('gauge', 'Model versions in use, always 1', ['model', 'version']),
  touchstone_model_stuck: metric(
    'gauge',
    '1 while the version that was promoted cannot be loaded and the one before still decides',
    ['model'],
  ),
  touchstone_policy_version: metric('gauge', 'Version of the policy in use'),
  touchstone_reference_change: metric('gauge', 'Change number of the reference data in use'),
  touchstone_index_entries: metric('gauge', 'Pictures of banks that are looked up, by kind of bank', ['kind']),
  touchstone_index_change: metric('gauge', 'Change number up to which the pictures of the banks are followed'),
  touchstone_index_age_seconds: metric(
    'gauge',
    'Seconds since the pictures of the banks were last held against the store',
  ),
  touchstone_quarantined_images: metric(
    'gauge',
    'Pictures of banks that match nothing, for some marketplaces or all, until somebody has looked',
  ),
  touchstone_quarantines_total: metric(
    'counter',
    'Pictures of banks put into quarantine here because they met too many sellers, once for each marketplace: somebody should look at each',
  ),
  touchstone_bank_alerts_total: metric(
    'counter',
    'Pictures of banks that met too many sellers of one marketplace, by what came of it: put into quarantine there (quarantined) or everywhere (quarantined-for-all), or matching on, since enough went there within the hour (bound) or too many accounts were new (new-sellers)',
    ['result'],
  ),
  touchstone_bank_matches_total: metric(
    'counter',
    'Matches of listings’ pictures with banks, by kind of bank; dry runs not counted',
    ['kind'],
  ),
} as const satisfies Record<string, MetricEntry>

type Metrics = {
  readonly [K in keyof typeof METRICS]: (typeof METRICS)[K]['kind'] extends 'counter'
    ? Counter
    : (typeof METRICS)[K]['kind'] extends 'gauge'
      ? Gauge
      : Histogram
}

export interface Telemetry {
  readonly log: Logger
  readonly registry: Registry
  readonly metrics: Metrics
}

/** Everything of one process; `processMetrics` adds memory, event-loop lag and the like. */
export function createTelemetry(options: {
  level: string
  destination?: DestinationStream
  processMetrics?: boolean
}): Telemetry {
  const registry = new Registry()
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry, prefix: 'touchstone_' })
  const metrics: Record<string, Counter | Gauge | Histogram> = {}
  for (const [name, entry] of Object.entries<MetricEntry>(METRICS)) {
    const common = { name, help: entry.help, labelNames: [...entry.labels], registers: [registry] }
    if (entry.kind === 'counter') metrics[name] = new Counter(common)
    else if (entry.kind === 'gauge') metrics[name] = new Gauge(common)
    else
      metrics[name] = new Histogram({
        ...common,
        ...(entry.buckets === undefined ? {} : { buckets: [...entry.buckets] }),
      })
  }
  // Logs go to stderr: stdout carries results.
  const log = pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    options.destination ?? pino.destination(2),
  )
  return { log, registry, metrics: metrics as unknown as Metrics }
}
