// What a verdict does to the banks, inside its own transaction: confirmed pictures join, and leave when it is undone.
import { sql } from 'kysely'
import { confirmedBank } from '../../domain/bank.ts'
import type { BankImage } from '../../domain/bank.ts'
import type { BankJoin, OfficialLook } from '../../pipeline/verdicts/ports.ts'
import { packJson } from './bytes.ts'
import { NOT_LOOKED, officialOf } from './official-pictures.ts'
import { REFERENCE_CHANNEL, takeHead } from './reference-head.ts'
import type { Statement } from './statement.ts'

/**
 * The pictures of the cases join the banks of confirmed ones, each with its verdict; what joined with a verdict of `leaves`
 * leaves, and other verdicts' copies stay. Not a blank picture, and none that is like a genuine or an allowed one (see
 * `SPARING`), as far as `look` says, and compared here with what changed since it. Said again it changes nothing.
 * Listings that a picture which leaves had stopped are tried again (bank-departures.ts).
 *
 * To be sent after everything but the outbox (the lock order in reference-head.ts), in a transaction that holds the
 * listings: what a case shows is written under its listing's lock. The number moves only when something did.
 */
export function bankJoins(
  joins: readonly BankJoin[],
  leaves: readonly string[],
  look: OfficialLook = NOT_LOOKED,
): Statement[] {
  if (joins.length === 0 && leaves.length === 0) return []
  return [takeHead, ...join(joins, look), ...leave(leaves), MOVE_HEAD]
}

function join(joins: readonly BankJoin[], look: OfficialLook): Statement[] {
  if (joins.length === 0) return []
  const banks = packJson(joins.map(({ brandId }) => confirmedBank(brandId)))
  const bankIds = joins.map(({ brandId }) => confirmedBank(brandId).bankId)
  const sources = packJson(
    joins.map(({ verdictId, caseId, listingId }): BankImage['source'] => ({
      kind: 'verdict',
      verdictId,
      caseId,
      listingId,
    })),
  )
  return [
    sql`
    with shown as materialized (
      select x.*, p.sha256, p.hash, p.quality, p.forms, p.variants, h.change + 1 as change
      from unnest(${joins.map((j) => j.caseId)}::text[], ${joins.map((j) => j.revision)}::int[], ${bankIds}::text[],
                  ${joins.map((j) => j.verdictId)}::text[], ${joins.map((j) => j.by)}::text[],
                  ${joins.map((j) => j.brandId)}::text[], ${banks.starts}::int[], ${banks.lengths}::int[],
                  ${sources.starts}::int[], ${sources.lengths}::int[])
           x (case_id, revision, bank_id, verdict_id, by, brand_id, bank_start, bank_length, start, length)
      join case_picture c on c.case_id = x.case_id collate "C" and c.revision = x.revision
      join picture p on p.sha256 = c.sha256 and not p.blank
      cross join reference_head h),
    ${officialOf(look)},
    joining as (select * from shown x where not exists (${SPARING})),
    made as (
      insert into bank (bank_id, version, body, change, changed_by)
      select distinct on (bank_id) bank_id, 1,
             convert_from(substring(${banks.blob}::bytea from bank_start for bank_length), 'UTF8')::jsonb, change, by
      from joining on conflict (bank_id) do nothing)
    insert into bank_image (image_id, bank_id, sha256, hash, quality, forms, state, source, verdict_id, added_by, change)
    select gen_random_uuid(), bank_id, sha256, hash, quality, forms, 'active',
           convert_from(substring(${sources.blob}::bytea from start for length), 'UTF8')::json, verdict_id, by, change
    from joining on conflict (bank_id, sha256, coalesce(verdict_id, '')) where state <> 'removed' do nothing`,
  ]
}

/**
 * Counterfeiters show the maker's own photographs, which say nothing about the goods; in the counterfeit bank they would
 * hold every honest seller. They are scaled, encoded again and mirrored by each shop, so what counts is what the bank itself
 * calls the same, not the same bytes. An allowed picture is evidence against nobody, whoever owns its bank (only the
 * deployment can make one for all). A genuine one spares what it may own: the deployment's those of all brands, a brand's
 * its own, and any brand's what was confirmed without naming one; else one rights holder could keep another's counterfeits
 * out of the bank. An official one that comes later makes what joined before yield (signals/image-hash).
 */
const SPARING = sql`
      select from official o where o.sha256 = x.sha256 and (
        o.kind = 'allowed' or o.brand_id is null or x.brand_id is null or o.brand_id = x.brand_id)`

function leave(verdictIds: readonly string[]): Statement[] {
  if (verdictIds.length === 0) return []
  return [
    // In the order in which decisions that name them take their shares; what those wrote is then seen.
    sql`
    select from bank_image where verdict_id = any(${verdictIds}::text[]) and state <> 'removed' order by image_id for update`,
    sql`
    with gone as (
      update bank_image i set state = 'removed', change = h.change + 1, changed_at = now(), changed_by = 'verdict'
      from reference_head h where i.verdict_id = any(${verdictIds}::text[]) and i.state <> 'removed'
      returning i.image_id, i.change)
    insert into bank_departure (image_id, change) select image_id, change from gone`,
  ]
}

/** Whoever follows the reference data reads it anew with every number: a verdict without pictures costs them nothing. */
const MOVE_HEAD: Statement = sql`
  with moved as (
    update reference_head h set change = h.change + 1
    where h.change < (select max(i.change) from bank_image i)
    returning change)
  select pg_notify(${REFERENCE_CHANNEL}, change::text) from moved`
