// What a settlement writes: one statement per table, whatever the size of the batch.
import { sql } from 'kysely'
import type { CaseOpener } from '../../domain/case.ts'
import type { Listing } from '../../domain/listing.ts'
import type { CaseChange, Settlement } from '../../pipeline/ports.ts'
import { noteMatches } from './bank-departures.ts'
import { packJson } from './bytes.ts'
import { writeCasePictures, writeRescreens } from './case-pictures.ts'
import { appendToOutbox } from './outbox-append.ts'
import type { Outputs } from './outputs.ts'
import type { Statement } from './statement.ts'
import type { Tables } from './tables.ts'

/**
 * Throws unless the settlement writes only listings whose rows are locked, and none of them twice: two updates of one
 * listing would silently lose one of them.
 */
export function assertWritable(settlement: Settlement, locked: { has(listingId: string): boolean }): void {
  for (const { listingId } of [...settlement.standings, ...settlement.decisions, ...settlement.cases]) {
    if (!locked.has(listingId))
      throw new Error(`the settlement writes listing ${JSON.stringify(listingId)}, which is not locked`)
  }
  const written = new Set(settlement.standings.map((row) => row.listingId))
  if (written.size !== settlement.standings.length) throw new Error('the settlement writes one standing twice')
}

/**
 * What writes everything of one settlement, or of several of different listings put together. The outbox comes last; what
 * lies before it in the order of locks may be handed in.
 */
export function writeSettlement(
  settlement: Settlement,
  outputs: Outputs,
  beforeOutbox: readonly Statement[] = [],
): Statement[] {
  return [
    ...writeStandings(settlement.standings),
    ...writeRevisions(settlement.revisions),
    ...writeDecisions(settlement.decisions, settlement.shown),
    ...writeCases(settlement.cases),
    ...writeRefusals(settlement.refusals),
    ...writeCasePictures(settlement.casePictures ?? []),
    ...writeRescreens(settlement.rescreens ?? []),
    ...beforeOutbox,
    ...noteMatches(settlement.decisions),
    ...appendToOutbox(settlement.outbox, outputs),
  ]
}

function writeStandings(rows: Settlement['standings']): Statement[] {
  if (rows.length === 0) return []
  return [
    sql`
    update listing l set marketplace = x.marketplace, seller_id = x.seller_id, revision = x.revision, sequence = x.sequence,
      outcome = x.outcome, withdrawn_revision = x.withdrawn_revision,
      withdrawn_by_others = x.withdrawn_by_others::json, case_id = x.case_id, hold_until = x.hold_until
    from unnest(${rows.map((r) => r.listingId)}::text[], ${rows.map((r) => r.marketplace)}::text[],
                ${rows.map((r) => r.sellerId)}::text[], ${rows.map((r) => r.revision)}::int[], ${rows.map((r) => r.sequence)}::int[],
                ${rows.map((r) => r.outcome)}::text[], ${rows.map((r) => r.withdrawnRevision)}::int[],
                ${rows.map((r) => (r.withdrawnByOthers?.length ? JSON.stringify(r.withdrawnByOthers) : null))}::text[],
                ${rows.map((r) => r.caseId)}::text[], ${rows.map((r) => r.holdUntil)}::timestamptz[])
         x (listing_id, marketplace, seller_id, revision, sequence, outcome, withdrawn_revision, withdrawn_by_others, case_id, hold_until)
    where l.listing_id = x.listing_id collate "C"`,
  ]
}

function writeRevisions(rows: Settlement['revisions']): Statement[] {
  if (rows.length === 0) return []
  const listings = packJson(rows.map((row) => withoutInlineImages(row.listing)))
  return [
    sql`
    insert into revision (listing_id, revision, content_hash, submitted_at, listing)
    select x.listing_id, x.revision, x.content_hash, x.submitted_at,
           convert_from(substring(${listings.blob}::bytea from x.start for x.length), 'UTF8')::json
    from unnest(${rows.map((r) => r.listing.listingId)}::text[], ${rows.map((r) => r.listing.revision)}::int[],
                ${rows.map((r) => r.contentHash)}::text[], ${rows.map((r) => instantOf(r.submittedAt))}::timestamptz[],
                ${listings.starts}::int[], ${listings.lengths}::int[])
         x (listing_id, revision, content_hash, submitted_at, start, length)`,
  ]
}

/** RFC 3339 knows offsets up to 23:59, PostgreSQL up to 15:59: a sender's offset must not be able to make a commit fail. */
function instantOf(submittedAt: string): string {
  return new Date(submittedAt).toISOString()
}

/** Pictures sent inline are megabytes: what remains of one is its length, and its sha256 where the sender gave it. */
function withoutInlineImages(listing: Listing): unknown {
  if (listing.images?.some((image) => image.data !== undefined) !== true) return listing
  const images = listing.images.map(({ data, ...image }) =>
    data === undefined ? image : { ...image, dataLength: data.length },
  )
  return { ...listing, images }
}

function writeDecisions(rows: Settlement['decisions'], shown: Settlement['shown']): Statement[] {
  if (rows.length === 0) return []
  const bodies = packJson(rows)
  return [
    sql`
    insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, shown, body)
    select x.listing_id, x.revision, x.sequence, x.decision_id, x.stage, x.outcome, x.risk, x.decided_at, decode(x.shown, 'hex'),
           convert_from(substring(${bodies.blob}::bytea from x.start for x.length), 'UTF8')::json
    from unnest(${rows.map((r) => r.listingId)}::text[], ${rows.map((r) => r.revision)}::int[], ${rows.map((r) => r.sequence)}::int[],
                ${rows.map((r) => r.decisionId)}::uuid[], ${rows.map((r) => r.stage)}::text[], ${rows.map((r) => r.outcome)}::text[],
                ${rows.map((r) => r.risk)}::float8[], ${rows.map((r) => r.decidedAt)}::timestamptz[],
                ${rows.map((r) => shown?.get(r.decisionId) ?? '')}::text[],
                ${bodies.starts}::int[], ${bodies.lengths}::int[])
         x (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, shown, start, length)`,
  ]
}

function writeCases(changes: readonly CaseChange[]): Statement[] {
  if (changes.length === 0) return []
  const rows = foldCases(changes)
  return [
    sql`
    insert into review_case as c (case_id, listing_id, revision, state, risk, brand_ids, due_at, opened_at, closed_at,
                                  opened_by, opened_revision, marketplace)
    select x.case_id, x.listing_id, x.revision, x.state, x.risk,
           array(select json_array_elements_text(x.brand_ids)), x.due_at, x.at, case when x.state <> 'open' then x.at end,
           coalesce(x.opened_by, (select opened_by from review_case where case_id = x.case_id collate "C"), 'hold'),
           x.opened_revision, x.marketplace
    from json_to_recordset(${JSON.stringify(rows)}::json)
         x (case_id text, listing_id text, revision int, state text, risk float8, brand_ids json, due_at timestamptz, at timestamptz,
            opened_by text, opened_revision int, marketplace text)
    on conflict (case_id) do update set revision = excluded.revision, state = excluded.state, closed_at = excluded.closed_at,
      opened_at = case when c.state <> 'open' and excluded.state = 'open' then excluded.opened_at else c.opened_at end,
      opened_revision = case when excluded.opened_by in ('hold', 'block') and c.opened_by not in ('hold', 'block')
        then excluded.opened_revision else c.opened_revision end,
      opened_by = excluded.opened_by, marketplace = coalesce(excluded.marketplace, c.marketplace),
      claimed_by = case when excluded.state = 'open' then c.claimed_by end,
      claimed_until = case when excluded.state = 'open' then c.claimed_until end,
      risk = case when excluded.state = 'open' then excluded.risk else c.risk end,
      brand_ids = case when excluded.state = 'open' then excluded.brand_ids else c.brand_ids end,
      due_at = case when excluded.state = 'open' then coalesce(excluded.due_at, c.due_at) else c.due_at end`,
  ]
}

interface CaseRow {
  readonly case_id: string
  readonly listing_id: string
  readonly revision: number
  readonly state: Tables['review_case']['state']
  readonly risk: number
  readonly brand_ids: readonly string[]
  readonly due_at: string | null
  readonly at: string
  readonly opened_by: CaseOpener | null
  readonly opened_revision: number
  readonly marketplace: string | null
}

const STATES: Readonly<Record<CaseChange['change'], CaseRow['state']>> = {
  open: 'open',
  carry: 'open',
  reopened: 'open',
  withdrawn: 'withdrawn',
  released: 'released',
  resolved: 'resolved',
}

/**
 * One row per case: a batch may open it, carry it over and close it. A closed case keeps what it was about. What it was opened
 * with is of a sample that is stopped after an edit what was stopped.
 */
function foldCases(changes: readonly CaseChange[]): CaseRow[] {
  const rows = new Map<string, CaseRow>()
  for (const change of changes) {
    const state = STATES[change.change]
    const open = state === 'open'
    const before = rows.get(change.caseId)
    const stopped = change.openedBy === 'hold' || change.openedBy === 'block'
    const about =
      open || before === undefined ? { risk: change.risk, brand_ids: change.brandIds, due_at: change.dueAt } : {}
    rows.set(change.caseId, {
      case_id: change.caseId,
      listing_id: change.listingId,
      risk: before?.risk ?? change.risk,
      brand_ids: before?.brand_ids ?? change.brandIds,
      due_at: before?.due_at ?? change.dueAt,
      ...about,
      revision: change.revision,
      state,
      at: change.at,
      opened_by: change.openedBy ?? before?.opened_by ?? null,
      opened_revision: stopped || before === undefined ? change.revision : before.opened_revision,
      marketplace: change.marketplace ?? before?.marketplace ?? null,
    })
  }
  return [...rows.values()]
}

function writeRefusals(rows: Settlement['refusals']): Statement[] {
  if (rows.length === 0) return []
  // As bytes, like every document: `json_to_recordset` would refuse an escaped U+0000, which a stranger's field name may hold.
  const bodies = packJson(rows.map(({ refusal }) => refusal))
  // A topic that was made anew counts from 0 again: then the newer record is the one that somebody waits for.
  return [
    sql`
    insert into refusal (topic, part, pos, listing_id, revision, code, at, body)
    select x.topic, x.part, x.pos, x.listing_id, x.revision, x.code, x.at,
           convert_from(substring(${bodies.blob}::bytea from x.start for x.length), 'UTF8')::json
    from unnest(${rows.map((r) => r.topic)}::text[], ${rows.map((r) => r.partition)}::int[],
                ${rows.map((r) => String(r.offset))}::bigint[], ${rows.map((r) => r.refusal.listingId)}::text[],
                ${rows.map((r) => r.refusal.revision)}::int[], ${rows.map((r) => r.refusal.code)}::text[],
                ${rows.map((r) => r.refusal.at)}::timestamptz[], ${bodies.starts}::int[], ${bodies.lengths}::int[])
         x (topic, part, pos, listing_id, revision, code, at, start, length)
    on conflict (topic, part, pos) do update set listing_id = excluded.listing_id, revision = excluded.revision,
      code = excluded.code, at = excluded.at, body = excluded.body`,
  ]
}
