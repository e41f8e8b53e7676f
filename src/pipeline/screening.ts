// The heart: one batch of records in, one transaction out.
//
//   1. decode    bytes -> event                       or a dead letter
//   2. parse     event -> listing or withdrawal       or a refusal, or a dead letter where it cannot be named
//   3. assess    listing -> signals, risk, answer     in parallel, pure, within a budget; our own failure twice: dead letter
//   4. commit    one store transaction: the offset moves, and under the listings' locks each record is settled
//   5. tell      metrics, and a nudge to who waits
//
// 3 comes before 4 because nothing slow may run while rows are locked; what 3 could not know (was this revision decided
// meanwhile?) is settled in 4, where it cannot change any more.
import { listingSchema } from '../domain/listing.ts'
import { messageOf } from '../errors.ts'
import { listingWithdrawn } from '../events/index.ts'
import type { TopicNames } from '../events/topics.ts'
import { decodeEvent } from '../events/wire.ts'
import { contentHash } from '../listing/content-hash.ts'
import { parseIdentity, parseListing } from '../listing/parse-listing.ts'
import type { Telemetry } from '../telemetry.ts'
import { assess, type Gate } from './assess.ts'
import { ok, type Outcome } from './outcome.ts'
import type { Batch, BatchResult, GateStore, LogRecord } from './ports.ts'
import { settle, type Tally, type Tried, type TriedRecord } from './settle.ts'

export interface ScreeningOptions {
  readonly store: GateStore
  readonly gate: () => Gate
  readonly topics: TopicNames
  readonly group: string
  readonly telemetry: Telemetry
  readonly maxListingBytes: number
  /** Called after the commit. */
  readonly decided?: (tally: Tally) => void
}

/** The event loop gets its turn after this many milliseconds of evaluation: leases and HTTP go on during a batch. */
const TURN_MS = 15
/** Listings evaluated at once: signals that wait for a thread or a file overlap, and memory stays bounded. */
const PARALLEL = 16

export function createScreening(options: ScreeningOptions): (batch: Batch, lost: AbortSignal) => Promise<BatchResult> {
  const { store, topics, group, telemetry } = options
  return async (batch, lost) => {
    const gate = options.gate()
    const records = await tryAll(batch, gate, lost, options)
    if (records === undefined) return 'moved'
    let tally: Tally | undefined
    const result = await store.commit(
      { group, topic: batch.topic, partition: batch.partition, from: batch.from, next: batch.next },
      records.flatMap(({ tried }) => (tried.kind === 'ok' ? [identityOf(tried.value)] : [])),
      (standings) => {
        const settled = settle(records, standings, { topics, topic: batch.topic, now: new Date() })
        tally = settled.tally
        return settled.settlement
      },
    )
    telemetry.metrics.touchstone_batches_total.inc({ result })
    if (result === 'committed' && tally !== undefined) {
      count(telemetry, batch, tally)
      options.decided?.(tally)
    }
    return result
  }
}

const identityOf = (
  value:
    | { kind: 'listing'; listing: { listingId: string; revision: number } }
    | { kind: 'withdrawal'; identity: { listingId: string; revision: number } },
) =>
  value.kind === 'listing' ? { listingId: value.listing.listingId, revision: value.listing.revision } : value.identity

// Shared by all lanes of all partitions: else each of them would evaluate one listing in every turn.
let turn = 0
let yielding: Promise<void> | undefined

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  turn = performance.now()
  yielding = undefined
}

/** undefined when the partition was lost meanwhile: the work is then somebody else's. */
async function tryAll(
  batch: Batch,
  gate: Gate,
  lost: AbortSignal,
  options: ScreeningOptions,
): Promise<TriedRecord[] | undefined> {
  const tried: TriedRecord[] = []
  let next = 0
  const lane = async () => {
    for (let i = next++; i < batch.records.length; i = next++) {
      if (lost.aborted) return
      while (performance.now() - turn > TURN_MS) await (yielding ??= nextTurn())
      if (lost.aborted) return
      const record = batch.records[i]
      if (record !== undefined)
        tried[i] = { record, partition: batch.partition, tried: await tryRecord(record, gate, options) }
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, batch.records.length) }, lane))
  return lost.aborted ? undefined : tried
}

async function tryRecord(record: LogRecord, gate: Gate, options: ScreeningOptions): Promise<Tried> {
  const read = readRecord(record, options.maxListingBytes)
  if (read.kind !== 'ok') return read
  if (read.value.kind === 'withdrawal') return ok(read.value)
  const { listing } = read.value
  for (let attempts = 1; ; attempts += 1) {
    try {
      const assessment = await assess(gate, listing, new Date())
      observe(options.telemetry, assessment.risk.signals, assessment.answer.rules)
      return ok({
        kind: 'listing',
        listing,
        contentHash: contentHash(listing),
        submittedAt: listing.submittedAt ?? record.appendedAt.toISOString(),
        assessment,
      })
    } catch (error) {
      // A signal never throws by contract, so this is a bug of ours: once more, then the stream goes on without it.
      options.telemetry.log.error(
        { err: error, attempts, offset: record.offset.toString() },
        'a listing could not be assessed',
      )
      if (attempts === 2)
        return { kind: 'deadLetter', code: 'internal-error', message: messageOf(error), stage: 'assess', attempts }
    }
  }
}

type Read = Outcome<
  | { kind: 'listing'; listing: Parameters<typeof contentHash>[0] }
  | { kind: 'withdrawal'; identity: { listingId: string; revision: number }; marketplace?: string }
>

/** Phases 1 and 2. Pure. */
export function readRecord(record: Pick<LogRecord, 'key' | 'value' | 'headers'>, maxListingBytes: number): Read {
  const decoded = decodeEvent(record, 'listings')
  if (decoded.kind === 'problem')
    return { kind: 'deadLetter', code: decoded.code, message: decoded.message, stage: 'decode', attempts: 1 }
  const { type, data } = decoded
  if ((record.value?.byteLength ?? 0) > maxListingBytes) {
    const identity = parseIdentity(data)
    const message = `the record must have at most ${maxListingBytes} bytes, this one has ${record.value?.byteLength ?? 0}`
    return identity.kind === 'ok'
      ? { kind: 'refuse', ...identity.value, ...marketplaceOf(data), code: 'too-large', message, path: '' }
      : {
          kind: 'deadLetter',
          code: 'no-identity',
          message: `${message}; ${identity.message}`,
          stage: 'parse',
          attempts: 1,
        }
  }
  if (type === listingWithdrawn.type) {
    const identity = parseIdentity(data)
    return identity.kind === 'ok'
      ? ok({ kind: 'withdrawal', identity: identity.value, ...marketplaceOf(data) })
      : { kind: 'deadLetter', code: 'no-identity', message: identity.message, stage: 'parse', attempts: 1 }
  }
  const parsed = parseListing(data)
  if (parsed.kind === 'ok') return ok({ kind: 'listing', listing: parsed.value })
  if (parsed.kind === 'refuse') return parsed
  return { kind: 'deadLetter', code: 'no-identity', message: parsed.message, stage: 'parse', attempts: 1 }
}

/** The rest is not read, but a feed that is bound to a marketplace must show the refusal. */
function marketplaceOf(data: Readonly<Record<string, unknown>>): { marketplace?: string } {
  const { marketplace } =
    listingSchema.pick({ marketplace: true }).safeParse({ marketplace: data['marketplace'] }).data ?? {}
  return marketplace === undefined ? {} : { marketplace }
}

function observe(
  telemetry: Telemetry,
  signals: readonly { name: string; state: string; durationMs: number }[],
  rules: readonly { ruleId: string; error?: string | undefined }[],
): void {
  for (const signal of signals) {
    telemetry.metrics.touchstone_signals_total.inc({ signal: signal.name, state: signal.state })
    telemetry.metrics.touchstone_signal_seconds.observe({ signal: signal.name }, signal.durationMs / 1000)
  }
  for (const rule of rules)
    if (rule.error !== undefined) telemetry.metrics.touchstone_rule_errors_total.inc({ rule: rule.ruleId })
}

function count(telemetry: Telemetry, batch: Batch, tally: Tally): void {
  const { metrics } = telemetry
  metrics.touchstone_listings_read_total.inc(batch.records.length)
  metrics.touchstone_duplicates_total.inc(tally.duplicates)
  metrics.touchstone_withdrawals_total.inc(tally.withdrawals)
  for (const code of tally.refused) metrics.touchstone_refused_total.inc({ code })
  for (const code of tally.deadLetters) metrics.touchstone_dead_letters_total.inc({ code })
  for (const { outcome, stage, degraded } of tally.decided) {
    metrics.touchstone_decisions_total.inc({ outcome, stage })
    if (degraded) metrics.touchstone_degraded_total.inc()
  }
  const now = Date.now()
  for (const record of batch.records) {
    metrics.touchstone_decision_seconds.observe(Math.max(0, (now - record.appendedAt.getTime()) / 1000))
  }
  metrics.touchstone_lag_records.set({ partition: batch.partition }, Number(batch.end - batch.next))
  const oldest = batch.records[0]
  if (oldest !== undefined)
    metrics.touchstone_lag_seconds.set(
      { partition: batch.partition },
      Math.max(0, (now - oldest.appendedAt.getTime()) / 1000),
    )
}
