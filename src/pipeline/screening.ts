// The heart: one batch of records in, and in one transaction all that comes of it.
//
//   1. decode    bytes -> event                       or a dead letter
//   2. parse     event -> listing or withdrawal       or a refusal, or a dead letter where it cannot be named
//   3. look      images -> pictures                   all listings at once, each within a time limit of its own
//   4. assess    listing -> signals, risk, answer     in parallel, pure, within a budget; our own failure twice: dead letter
//   5. keep      pictures of what a person will see   re-encoded and stored by their hash
//   6. commit    one store transaction, perhaps with other batches: the offset moves, and under the listings' locks each record is settled;
//                where pictures are waited for, first what is done without them, and the offset follows (waiting/line.ts)
//   7. tell      metrics, and a nudge to who waits
//
// 3 waits for strangers' hosts, so a listing that waits takes no lane of 4. 4 and 5 come before 6 because nothing slow may
// run while rows are locked; what they could not know (was this revision decided meanwhile?) is settled in 6, where it cannot
// change any more.
import type { ListingIdentity } from '../domain/listing.ts'
import type { TopicNames } from '../events/topics.ts'
import type { BankMatch } from '../signals/image-hash/ports.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Offered } from './banks/quarantine.ts'
import type { Gate } from './assess.ts'
import type { Draw } from './audit.ts'
import { createCommit } from './commit-batch.ts'
import { ok } from './outcome.ts'
import type { Batch, BatchResult } from './log/ports.ts'
import { keepPictures } from './pictures/keeping.ts'
import type { PictureStore } from './pictures/ports.ts'
import type { GateStore } from './ports.ts'
import { refusedByStore } from './refused-by-store.ts'
import { settle, type Tally, type Tried, type TriedRecord } from './settle.ts'
import { tryAll } from './trying.ts'
import { createKeeping } from './waiting/keeping.ts'
import { createLine, type Line } from './waiting/line.ts'
import { createRoom } from './waiting/room.ts'

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

/** Longer than hosts take that are well; a batch that waits so long gives its lane to others, and what is done goes ahead. */
const PATIENCE_MS = 100
/**
 * What waits so. As many listings as four full batches, which strangers' connections work off in half a minute if all of
 * their hosts are silent; as many bytes as the batches that are read ahead or in a lane.
 */
const ROOM = { listings: 2_000, bytes: 64 << 20 }

export function createScreening(
  options: ScreeningOptions,
): (batch: Batch, lost: AbortSignal, waits?: () => void) => Promise<BatchResult> {
  const { store, topics, group, telemetry, maxDeadLetterBytes, draw } = options
  const commit = createCommit({
    store,
    group,
    telemetry,
    wanted: (records: readonly TriedRecord[]) => records.flatMap(({ tried }) => identitiesOf(tried)),
    settle: (records, standings, at) => settle(records, standings, { topics, ...at, draw, maxDeadLetterBytes }),
    told(tally, records) {
      count(telemetry, records.length - tally.left.length, tally)
      if (options.matched !== undefined) tellMatches(tally, records, options.matched)
      options.decided?.(tally)
    },
  })

  const lines = new WeakMap<AbortSignal, Line>()
  const room = createRoom(ROOM)
  const lineOf = ({ from }: Batch, lost: AbortSignal): Line => {
    const known = lines.get(lost)
    if (known !== undefined && !known.idle && known.next === from) return known
    // Where it does not begin behind what is in hand, the store's compare-and-set says what it is worth.
    const line = createLine(from, lost, {
      commit,
      isDataError: options.isDataError,
      refused: (error, record) => refusedByStore(error, record, telemetry),
    })
    lines.set(lost, line)
    return line
  }

  return async (batch, lost, waits) => {
    const gate = options.gate()
    const line = lineOf(batch, lost)
    let leave: (() => void) | undefined
    let patience: NodeJS.Timeout | undefined
    let isOver = false
    const giveWay = (): void => {
      clearTimeout(patience)
      if (isOver) return
      leave ??= room.enter(batch.records, part)
      if (leave === undefined) patience = setTimeout(giveWay, PATIENCE_MS)
      else waits?.()
    }
    const part = line.add(batch, giveWay)
    const keeping = createKeeping(part, (records, behind) => keep(records, behind, gate, options), line.fail)
    const goAhead = (): void => {
      if (part.missing === 0 || line.over.aborted) return
      keeping.goAhead()
      part.goAhead()
    }
    try {
      await tryAll(batch.records, gate, line.over, options, {
        named: part.name,
        tried: (i, tried) => {
          const record = batch.records[i]
          if (record !== undefined) keeping.put(i, { record, partition: batch.partition, tried })
        },
        onlyWaits: () => (patience = setTimeout(goAhead, PATIENCE_MS)),
      })
      await keeping.done(!line.over.aborted)
      return await part.settled
    } catch (error) {
      line.fail(error)
      throw error
    } finally {
      isOver = true
      clearTimeout(patience)
      leave?.()
    }
  }
}

/** What was refused, or sent twice, says nothing of a picture: whoever sends it may make up as much of it as they like. */
function tellMatches(
  { decided }: Tally,
  records: readonly TriedRecord[],
  matched: NonNullable<ScreeningOptions['matched']>,
): void {
  const nameOf = ({ listingId, revision }: ListingIdentity, hash: string) => `${hash} ${revision} ${listingId}`
  const names = new Set(decided.map((decision) => nameOf(decision, decision.contentHash)))
  for (const { tried } of records) {
    if (tried.kind !== 'ok' || tried.value.kind !== 'listing') continue
    const { listing, contentHash, assessment } = tried.value
    // The same revision again in the same batch was a duplicate; with another content it was refused.
    if (names.delete(nameOf(listing, contentHash))) matched(listing, assessment.bankMatches)
  }
}

/** What is asked for is locked: of a record that cannot be read nothing is. */
function identitiesOf(tried: Tried): readonly ListingIdentity[] {
  if (tried.kind === 'deadLetter') return tried.said === undefined ? [] : [named(tried.said)]
  if (tried.kind !== 'ok') return []
  return [named(tried.value.kind === 'listing' ? tried.value.listing : tried.value.identity)]
}
const named = ({ listingId, revision }: ListingIdentity): ListingIdentity => ({ listingId, revision })

/** Phase 5. */
async function keep(
  records: readonly TriedRecord[],
  behind: ReadonlySet<TriedRecord>,
  gate: Gate,
  { pictures: store, draw }: Pick<ScreeningOptions, 'pictures' | 'draw'>,
): Promise<readonly TriedRecord[]> {
  if (gate.pictures === undefined || store === undefined) return records
  const listings = records.flatMap((one) => {
    const { tried } = one
    return tried.kind === 'ok' && tried.value.kind === 'listing'
      ? [{ ...tried.value, one, behind: behind.has(one) }]
      : []
  })
  const keepsakes = await keepPictures(listings, gate.pictures, store, draw)
  if (keepsakes.size === 0) return records
  const keepsakeOf = new Map([...keepsakes].map(([{ one }, keepsake]) => [one, keepsake]))
  return records.map((one) => {
    if (one.tried.kind !== 'ok' || one.tried.value.kind !== 'listing') return one
    const keepsake = keepsakeOf.get(one)
    return keepsake === undefined ? one : { ...one, tried: ok({ ...one.tried.value, ...keepsake }) }
  })
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
