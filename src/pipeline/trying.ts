// Phases 1 to 4 of a batch: each record read, its pictures looked at, its listing assessed. Nothing is recorded here.
import type { Listing } from '../domain/listing.ts'
import { messageOf } from '../errors.ts'
import { listingWithdrawn } from '../events/index.ts'
import { decodeEvent } from '../events/wire.ts'
import type { Picture } from '../imaging/picture.ts'
import { contentHash } from '../listing/content-hash.ts'
import { parseIdentity, parseListing } from '../listing/parse-listing.ts'
import type { Telemetry } from '../telemetry.ts'
import { assess, lookAt, type Gate } from './assess.ts'
import type { LogRecord } from './log/ports.ts'
import { ok, type Outcome } from './outcome.ts'
import { createSlots } from './pictures/slots.ts'
import type { Tried, Withdrawal } from './settle.ts'
import { BOUND_SOURCE } from './sources.ts'

export interface TryingOptions {
  readonly telemetry: Telemetry
  readonly maxListingBytes: number
}

/** What is told of each record by its place in the batch. */
export interface Trying {
  /** Of which listing it is. */
  named(record: number, listingId: string | undefined): void
  tried(record: number, tried: Tried): void
  /** All have their names, and only pictures are missing. */
  onlyWaits(): void
}

/** The event loop gets its turn after this many milliseconds of evaluation: leases and HTTP go on during a batch. */
const TURN_MS = 15
/** Listings evaluated at once: signals that wait for a thread or a file overlap, and memory stays bounded. */
const PARALLEL = 16

// Shared by all lanes of all partitions: else each of them would evaluate one listing in every turn.
let turn = 0
let yielding: Promise<void> | undefined

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  turn = performance.now()
  yielding = undefined
}

/** Resolves when all are tried, or early and without them when it is `over`: the work is then somebody else's. */
export async function tryAll(
  records: readonly LogRecord[],
  gate: Gate,
  over: AbortSignal,
  options: TryingOptions,
  told: Trying,
): Promise<void> {
  const lanes = createSlots(PARALLEL)
  const inLane = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    await lanes.take()
    try {
      while (!over.aborted && performance.now() - turn > TURN_MS) await (yielding ??= nextTurn())
      return over.aborted ? undefined : await work()
    } finally {
      lanes.release()
    }
  }
  let busy = records.length
  const notBusy = (): void => {
    busy -= 1
    if (busy === 0) told.onlyWaits()
  }
  await Promise.all(
    records.map(async (record, i) => {
      const first = await inLane<Tried | { images: { kind: 'listing'; listing: Listing; bound: boolean } }>(() => {
        const read = readRecord(record, options.maxListingBytes)
        told.named(i, listingOf(read))
        if (read.kind === 'ok' && read.value.kind === 'listing' && hasImages(gate, read.value.listing))
          return { images: read.value }
        return tryRead(read, record, [], gate, options)
      })
      if (first === undefined) return
      let ended = 'images' in first ? undefined : first
      if (ended !== undefined) told.tried(i, ended)
      notBusy()
      if (!('images' in first)) return
      const pictures = await lookAt(gate, first.images.listing, over)
      ended = await inLane(() => tryRead(ok(first.images), record, pictures, gate, options))
      if (ended !== undefined) told.tried(i, ended)
    }),
  )
}

const hasImages = (gate: Gate, { images = [] }: Listing): boolean => gate.pictures !== undefined && images.length > 0

function listingOf(read: Read): string | undefined {
  if (read.kind === 'refuse') return read.listingId
  if (read.kind !== 'ok') return undefined
  return read.value.kind === 'listing' ? read.value.listing.listingId : read.value.identity.listingId
}

async function tryRead(
  read: Read,
  record: LogRecord,
  pictures: readonly Picture[],
  gate: Gate,
  options: TryingOptions,
): Promise<Tried> {
  if (read.kind !== 'ok') return read
  if (read.value.kind === 'withdrawal') return ok(read.value)
  const { listing, bound } = read.value
  const { listingId, revision } = listing
  let hash: string | undefined
  for (let attempts = 1; ; attempts += 1) {
    try {
      hash ??= contentHash(listing)
      const assessment = await assess(gate, listing, new Date(), pictures)
      observe(options.telemetry, assessment.risk.signals, assessment.answer.rules)
      return ok({
        kind: 'listing',
        listing,
        bound,
        contentHash: hash,
        submittedAt: listing.submittedAt ?? record.appendedAt.toISOString(),
        assessment,
      })
    } catch (error) {
      // A signal never throws by contract, so this is a bug of ours: once more, then the stream goes on without it.
      options.telemetry.log.error(
        { err: error, attempts, offset: record.offset.toString() },
        'a listing could not be assessed',
      )
      if (attempts < 2) continue
      return {
        kind: 'deadLetter',
        code: 'internal-error',
        message: messageOf(error),
        stage: 'assess',
        attempts,
        ...(hash === undefined ? {} : { said: { listingId, revision, contentHash: hash } }),
      }
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
