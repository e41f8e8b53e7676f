// What was decided, for those who ask: the feed, a listing's history, and what became of one record.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { RecentDecisions } from '../../api/ports.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { DecisionReader, ListingHistory, RecordEnd } from '../../pipeline/ports.ts'
import { queries } from './connect.ts'
import { readFeed, readFeedMark, readRecent } from './feed.ts'
import { inTransaction } from './transaction.ts'

/** The newest so many of each kind: a listing that somebody edits or sends a million times must not fill the memory. */
const HISTORY = 200

export interface DecisionReaderOptions {
  readonly pool: Pool
  /** The output topic that the feed reads. */
  readonly decisions: string
}

export function createDecisionReader({ pool, decisions }: DecisionReaderOptions): DecisionReader & RecentDecisions {
  const db = queries(pool)
  const standing = async (
    listingId: string,
    revision: number,
  ): Promise<{ decision: Decision; contentHash: string } | undefined> => {
    const row = await db
      .selectFrom('decision')
      .select('body')
      .where('listing_id', '=', listingId)
      .where('revision', '=', revision)
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? undefined : { decision: row.body, contentHash: row.body.contentHash }
  }
  return {
    feed: (after, limit, marketplace) => readFeed(pool, decisions, after, limit, marketplace),
    feedMark: () => readFeedMark(db, decisions),
    recent: (limit, marketplace) => readRecent(pool, decisions, limit, marketplace),
    history: (listingId) => readHistory(pool, listingId),
    standing,

    async passed(group, topic) {
      const rows = await db
        .selectFrom('input_offset')
        .select(['part', 'next'])
        .where('grp', '=', group)
        .where('topic', '=', topic)
        .execute()
      return new Map(rows.map((row) => [row.part, BigInt(row.next)]))
    },

    async decided(asked) {
      const { rows } = await sql<{ nth: number }>`
        select x.nth::int as nth
        from unnest(${asked.map((one) => one.listingId)}::text[], ${asked.map((one) => one.revision)}::int[],
                    ${asked.map((one) => one.contentHash)}::text[]) with ordinality x (listing_id, revision, content_hash, nth)
        join revision r on r.listing_id = x.listing_id collate "C" and r.revision = x.revision and r.content_hash = x.content_hash`.execute(
        db,
      )
      return rows.flatMap(({ nth }) => asked[nth - 1] ?? [])
    },

    async endOf(group, topic, record, identity): Promise<RecordEnd> {
      const passed = await db
        .selectFrom('input_offset as i')
        .leftJoin('refusal as r', (join) =>
          join.onRef('r.topic', '=', 'i.topic').onRef('r.part', '=', 'i.part').on('r.pos', '=', String(record.offset)),
        )
        .select('r.body')
        .where('i.grp', '=', group)
        .where('i.topic', '=', topic)
        .where('i.part', '=', record.partition)
        .where('i.next', '>', String(record.offset))
        .executeTakeFirst()
      if (passed === undefined) return { kind: 'pending' }
      if (passed.body !== null) return { kind: 'refused', refusal: passed.body }
      const found = await standing(identity.listingId, identity.revision)
      return found === undefined ? { kind: 'gone' } : { kind: 'decided', ...found }
    },
  }
}

/** All of one listing as of one moment; undefined when nothing is known of it. */
function readHistory(pool: Pool, listingId: string): Promise<ListingHistory | undefined> {
  return inTransaction<ListingHistory | undefined>(
    pool,
    async ({ db }) => {
      const listing = await db.selectFrom('listing').selectAll().where('listing_id', '=', listingId).executeTakeFirst()
      const empty = listing === undefined || (listing.revision === 0 && listing.withdrawn_revision === 0)
      // Whoever is bound to a marketplace must not learn of the listings of another, not even of refused ones: what
      // others were refused under this id is not part of its history, and never says whose the listing is.
      const refusals = await newest<{ body: Refusal }>(
        'refusal',
        'at',
        empty
          ? undefined
          : sql<boolean>`coalesce(body->>'marketplace', ${listing.marketplace}) is not distinct from ${listing.marketplace}`,
      )
      if (empty && refusals.length === 0) return { done: undefined }
      const revisions = await newest<{ revision: number; content_hash: string; submitted_at: Date; listing: unknown }>(
        'revision',
        'revision',
      )
      const decided = await newest<{ body: Decision }>('decision', 'sequence')
      return {
        done: {
          listingId,
          marketplace: empty ? ownerOf(refusals.map((row) => row.body)) : listing.marketplace,
          current: {
            revision: listing?.revision ?? 0,
            outcome: listing?.outcome ?? null,
            caseId: listing?.case_id ?? null,
            withdrawnRevision: listing?.withdrawn_revision ?? 0,
          },
          revisions: revisions.map((row) => ({
            revision: row.revision,
            contentHash: row.content_hash,
            submittedAt: row.submitted_at.toISOString(),
            listing: row.listing,
          })),
          decisions: decided.map((row) => row.body),
          refusals: refusals.map((row) => row.body),
        },
      }

      async function newest<Row>(
        table: 'refusal' | 'revision' | 'decision',
        order: string,
        only = sql<boolean>`true`,
      ): Promise<Row[]> {
        const { rows } = await sql<Row>`
          select * from ${sql.table(table)} where listing_id = ${listingId} and ${only} order by ${sql.ref(order)} desc limit ${HISTORY}`.execute(
          db,
        )
        return rows.reverse()
      }
    },
    'repeatable read, read only',
  )
}

/** Whose a listing is of which there are only refusals: somebody's only where all of them are. */
function ownerOf(refusals: readonly Refusal[]): string | null {
  const owners = new Set(refusals.map((refusal) => refusal.marketplace ?? null))
  const [owner] = owners
  return owners.size === 1 ? (owner ?? null) : null
}
