// The heart: one batch of records in, and in one transaction all that comes of it.
//
//   1. decode    bytes -> event                       or a dead letter
//   2. parse     event -> listing or withdrawal       or a refusal, or a dead letter where it cannot be named
//   3. look      images -> pictures                   all listings at once, each within a time limit of its own
//   4. assess    listing -> signals, risk, answer     in parallel, pure, within a budget; our own failure twice: dead letter
//   5. keep      pictures of what a person will see   re-encoded and stored by their hash
//   6. commit    one store transaction, perhaps with other batches: the offset moves, and under the listings' locks each record is settled
//   7. tell      metrics, and a nudge to who waits
//
// 3 waits for strangers' hosts, so a listing that waits takes no lane of 4. 4 and 5 come before 6 because nothing slow may
// run while rows are locked; what they could not know (was this revision decided meanwhile?) is settled in 6, where it cannot
// change any more.
import type { Listing, ListingIdentity } from '../domain/listing.ts'
import { messageOf } from '../errors.ts'
import { listingWithdrawn } from '../events/index.ts'
import type { TopicNames } from '../events/topics.ts'
import { decodeEvent } from '../events/wire.ts'
import { contentHash } from '../listing/content-hash.ts'
import { parseIdentity, parseListing } from '../listing/parse-listing.ts'
import type { BankMatch } from '../signals/image-hash/ports.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Offered } from './banks/quarantine.ts'
import type { Picture } from '../imaging/picture.ts'
import { assess, lookAt, type Gate } from './assess.ts'
import { commitOrApart } from './commit-apart.ts'
import type { Draw } from './audit.ts'
import { createCommit } from './commit-batch.ts'
import { ok, type Outcome } from './outcome.ts'
import type { Batch, BatchResult, LogRecord } from './log/ports.ts'
import { keepPictures } from './pictures/keeping.ts'
import type { PictureStore } from './pictures/ports.ts'
import { createSlots } from './pictures/slots.ts'
import type { GateStore } from './ports.ts'
import { settle, type Tally, type Tried, type TriedListing, type TriedRecord, type Withdrawal } from './settle.ts'
import { BOUND_SOURCE } from './sources.ts'

export interface ScreeningOptions {
  readonly store: GateStore
  readonly gate: () => Gate
  readonly topics: TopicNames
  readonly group: string
  readonly telemetry: Telemetry
  /** Where pictures are kept for cases; undefined: they are not. */
  readonly pictures?: PictureStore
  readonly maxListingBytes: number
  readonly draw: Draw
  /** What the topic of the dead letters takes as one record. */
  readonly maxDeadLetterBytes: number
  /** The store refuses what a record says (not how it was said): trying again as it is can never succeed. */
  readonly isDataError: (error: unknown) => boolean
  /** Called after the commit for each listing that was decided, with what its pictures are like. */
  readonly matched?: (offered: Offered, matches: readonly BankMatch[]) => void
  /** Called after the commit. */
  readonly decided?: (tally: Tally) => void
}

/** The event loop gets its turn after this many milliseconds of evaluation: leases and HTTP go on during a batch. */
const TURN_MS = 15
/** Listings evaluated at once: signals that wait for a thread or a file overlap, and memory stays bounded. */
const PARALLEL = 16

export function createScreening(options: ScreeningOptions): (batch: Batch, lost: AbortSignal) => Promise<BatchResult> {
  const { store, topics, group, telemetry, maxDeadLetterBytes, draw } = options
  const commit = createCommit({
    store,
    group,
    telemetry,
    wanted: (records: readonly TriedRecord[]) =>
      records.flatMap(({ tried }) => (tried.kind === 'ok' ? [identityOf(tried.value)] : [])),
    settle: (records, standings, at) => settle(records, standings, { topics, ...at, draw, maxDeadLetterBytes }),
    told(tally, records) {
      count(telemetry, records.length, tally)
      if (options.matched !== undefined) tellMatches(tally, records, options.matched)
      options.decided?.(tally)
    },
  })

  return async (batch, lost) => {
    const gate = options.gate()
    const tried = await tryAll(batch, gate, lost, options)
    if (tried === undefined) return 'moved'
    return commitOrApart(batch, await keep(tried, gate, options), commit, options)
  }
}

/** What was refused, or sent twice, says nothing of a picture: whoever sends it may make up as much of it as they like. */
function tellMatches(
  { decided }: Tally,
  records: readonly TriedRecord[],
  matched: NonNullable<ScreeningOptions['matched']>,
): void {
  const nameOf = ({ listingId, revision }: ListingIdentity) => `${revision} ${listingId}`
  const byName = new Map(decided.map((decision) => [nameOf(decision), decision]))
  for (const { tried } of records) {
    if (tried.kind !== 'ok' || tried.value.kind !== 'listing') continue
    const name = nameOf(tried.value.listing)
    const decision = byName.get(name)
    // The same revision again in the same batch was a duplicate.
    if (decision !== undefined && byName.delete(name)) matched(tried.value.listing, tried.value.assessment.bankMatches)
  }
}

const identityOf = (value: TriedListing | Withdrawal): ListingIdentity => {
  const { listingId, revision } = value.kind === 'listing' ? value.listing : value.identity
  return { listingId, revision }
}

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
  const lanes = createSlots(PARALLEL)
  const inLane = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    await lanes.take()
    try {
      while (!lost.aborted && performance.now() - turn > TURN_MS) await (yielding ??= nextTurn())
      return lost.aborted ? undefined : await work()
    } finally {
      lanes.release()
    }
  }
  await Promise.all(
    batch.records.map(async (record, i) => {
      const first = await inLane<Tried | { images: { kind: 'listing'; listing: Listing; bound: boolean } }>(() => {
        const read = readRecord(record, options.maxListingBytes)
        if (read.kind === 'ok' && read.value.kind === 'listing' && hasImages(gate, read.value.listing))
          return { images: read.value }
        return tryRead(read, record, [], gate, options)
      })
      if (first === undefined) return
      let ended = 'images' in first ? undefined : first
      if ('images' in first) {
        const pictures = await lookAt(gate, first.images.listing, lost)
        ended = await inLane(() => tryRead(ok(first.images), record, pictures, gate, options))
      }
      if (ended !== undefined) tried[i] = { record, partition: batch.partition, tried: ended }
    }),
  )
  return lost.aborted ? undefined : tried
}

const hasImages = (gate: Gate, { images = [] }: Listing): boolean => gate.pictures !== undefined && images.length > 0

/** Phase 5. */
async function keep(
  records: readonly TriedRecord[],
  gate: Gate,
  { pictures: store, draw }: Pick<ScreeningOptions, 'pictures' | 'draw'>,
): Promise<readonly TriedRecord[]> {
  if (gate.pictures === undefined || store === undefined) return records
  const listings = records.flatMap(({ tried }) =>
    tried.kind === 'ok' && tried.value.kind === 'listing' ? [tried.value] : [],
  )
  const kept = await keepPictures(listings, gate.pictures, store, draw)
  if (kept.size === 0) return records
  return records.map((one) => {
    if (one.tried.kind !== 'ok' || one.tried.value.kind !== 'listing') return one
    const pictures = kept.get(one.tried.value)
    return pictures === undefined ? one : { ...one, tried: ok({ ...one.tried.value, kept: pictures }) }
  })
}

async function tryRead(
  read: Read,
  record: LogRecord,
  pictures: readonly Picture[],
  gate: Gate,
  options: ScreeningOptions,
): Promise<Tried> {
  if (read.kind !== 'ok') return read
  if (read.value.kind === 'withdrawal') return ok(read.value)
  const { listing, bound } = read.value
  for (let attempts = 1; ; attempts += 1) {
    try {
      const assessment = await assess(gate, listing, new Date(), pictures)
      observe(options.telemetry, assessment.risk.signals, assessment.answer.rules)
      return ok({
        kind: 'listing',
        listing,
        bound,
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

type Read = Outcome<{ kind: 'listing'; listing: Listing; bound: boolean } | Withdrawal>

/** Phases 1 and 2. Pure. */
export function readRecord(record: Pick<LogRecord, 'key' | 'value' | 'headers'>, maxListingBytes: number): Read {
  const decoded = decodeEvent(record, 'listings')
  if (decoded.kind === 'problem')
    return { kind: 'deadLetter', code: decoded.code, message: decoded.message, stage: 'decode', attempts: 1 }
  const { type, data } = decoded
  const unnamed = ({ message, path }: { message: string; path: string }): Read => ({
    kind: 'deadLetter',
    code: 'no-identity',
    message,
    path,
    stage: 'parse',
    attempts: 1,
  })
  const bytes = record.value?.byteLength ?? 0
  if (bytes > maxListingBytes) {
    const identity = parseIdentity(data)
    const message = `the record must have at most ${maxListingBytes} bytes, this one has ${bytes}`
    return identity.kind === 'ok'
      ? { kind: 'refuse', ...identity.value, code: 'too-large', message, path: '' }
      : unnamed({ message: `${message}; ${identity.message}`, path: identity.path })
  }
  if (type === listingWithdrawn.type) {
    const identity = parseIdentity(data)
    if (identity.kind !== 'ok') return unnamed(identity)
    const { marketplace, ...name } = identity.value
    return ok({ kind: 'withdrawal', identity: name, marketplace })
  }
  const parsed = parseListing(data)
  if (parsed.kind === 'ok')
    return ok({ kind: 'listing', listing: parsed.value, bound: decoded.source === BOUND_SOURCE })
  return parsed.kind === 'refuse' ? parsed : unnamed(parsed)
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

function count(telemetry: Telemetry, records: number, tally: Tally): void {
  const { metrics } = telemetry
  metrics.touchstone_listings_read_total.inc(records)
  metrics.touchstone_duplicates_total.inc(tally.duplicates)
  metrics.touchstone_withdrawals_total.inc(tally.withdrawals)
  for (const code of tally.refused) metrics.touchstone_refused_total.inc({ code })
  for (const code of tally.deadLetters) metrics.touchstone_dead_letters_total.inc({ code })
  for (const { outcome, stage, degraded, audit } of tally.decided) {
    if (audit) metrics.touchstone_audits_total.inc()
    metrics.touchstone_decisions_total.inc({ outcome, stage })
    if (degraded) metrics.touchstone_degraded_total.inc()
  }
  const now = Date.now()
  for (const since of tally.waitedSince) {
    metrics.touchstone_decision_seconds.observe(Math.max(0, (now - since.getTime()) / 1000))
  }
}
