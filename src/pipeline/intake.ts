// The door for listings that come in by HTTP, and the dry run: read exactly as the worker reads them from the log.
import type { Decision } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { z } from 'zod'
import type { EventDefinition } from '../events/event.ts'
import { listingSubmitted, listingWithdrawn } from '../events/index.ts'
import type { TopicNames } from '../events/topics.ts'
import { encodeEvent } from '../events/wire.ts'
import { messageOf } from '../errors.ts'
import { contentHash } from '../listing/content-hash.ts'
import { v4 } from 'uuid'
import { assess, type Gate } from './assess.ts'
import { ok, type Outcome } from './outcome.ts'
import type { Appended, Log, NewRecord } from './log/ports.ts'
import { readRecord } from './trying.ts'
import { decideAlone } from './deciding.ts'
import { BOUND_SOURCE, HTTP_SOURCE } from './sources.ts'

interface Submitted {
  readonly listing: Listing
  readonly contentHash: string
  readonly record: NewRecord
}

export function createIntake(options: { log: Log; topics: TopicNames; group: string; maxListingBytes: number }) {
  const { log, topics, group, maxListingBytes } = options
  const event = <S extends z.ZodType>(
    definition: EventDefinition<S>,
    data: z.infer<S>,
    listingId: string,
    bound: boolean,
  ): NewRecord => ({
    key: Buffer.from(listingId),
    ...encodeEvent(definition, data, {
      id: v4(),
      source: bound ? BOUND_SOURCE : HTTP_SOURCE,
      time: new Date().toISOString(),
      subject: listingId,
    }),
  })
  return {
    topic: topics.listings,
    group,
    /** A listing of a bound key that names no marketplace is given the key's; one that names another is refused. */
    readListing(value: Uint8Array, marketplace: string | undefined): Outcome<Submitted> {
      const read = readRecord({ key: null, value, headers: {} }, maxListingBytes)
      if (read.kind !== 'ok') return read
      // Headers say nothing else, so bare bytes are always a submitted listing.
      if (read.value.kind !== 'listing') throw new Error('a bare record was read as a withdrawal')
      const sent = read.value.listing
      const { listingId, revision } = sent
      if (marketplace !== undefined && sent.marketplace !== undefined && sent.marketplace !== marketplace) {
        return {
          kind: 'refuse',
          listingId,
          revision,
          marketplace,
          code: 'marketplace-mismatch',
          message: 'marketplace: expected the one that the key is bound to',
          path: '/marketplace',
        }
      }
      const listing = marketplace === undefined ? sent : { ...sent, marketplace }
      return ok({
        listing,
        contentHash: contentHash(listing),
        record: event(listingSubmitted, listing, listingId, marketplace !== undefined),
      })
    },
    withdrawal: ({
      listingId,
      revision,
      marketplace,
    }: {
      listingId: string
      revision: number
      marketplace: string | undefined
    }): NewRecord =>
      event(
        listingWithdrawn,
        { listingId, revision, ...(marketplace === undefined ? {} : { marketplace }) },
        listingId,
        marketplace !== undefined,
      ),
    append: (records: readonly NewRecord[]): Promise<Appended[]> => log.append(topics.listings, records),
  }
}

/** The same evaluation as the worker's on a listing of which nothing else is known; nothing is recorded. */
export async function dryRun(gate: Gate, listing: Listing, topics: TopicNames, now: Date): Promise<Outcome<Decision>> {
  try {
    const assessment = await assess(gate, listing, now)
    const submittedAt = listing.submittedAt ?? now.toISOString()
    // The case that it would open is opened nowhere.
    const { caseId: _, ...decision } = decideAlone(
      { kind: 'listing', listing, bound: false, contentHash: contentHash(listing), submittedAt, assessment },
      topics,
      now,
    )
    return ok(decision)
  } catch (error) {
    return { kind: 'deadLetter', code: 'internal-error', message: messageOf(error), stage: 'assess', attempts: 1 }
  }
}
