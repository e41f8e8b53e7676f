// What a verdict does to the banks, inside its own transaction: confirmed pictures join, and leave when it is undone.
import { sql } from 'kysely'
import { confirmedBank } from '../../domain/bank.ts'
import type { BankImage } from '../../domain/bank.ts'
import type { BankJoin } from '../../pipeline/verdicts/ports.ts'
import { packJson } from './bytes.ts'
import { REFERENCE_CHANNEL, takeHead } from './reference-head.ts'
import type { Statement } from './statement.ts'

/**
 * The pictures of the cases join the banks of confirmed ones, each with its verdict; what joined with a verdict of `leaves`
 * leaves, and other verdicts' copies stay. Not a blank picture, and none that is like a genuine or an allowed one (see
 * `OFFICIAL`). Said again it changes nothing.
 * Listings that a picture which leaves had stopped are tried again (bank-departures.ts).
 *
 * To be sent after everything but the outbox (the lock order in reference-head.ts), in a transaction that holds the
 * listings: what a case shows is written under its listing's lock. The number moves only when something did.
 */
export function bankJoins(joins: readonly BankJoin[], leaves: readonly string[]): Statement[] {
  if (joins.length === 0 && leaves.length === 0) return []
  return [takeHead, ...join(joins), ...leave(leaves), MOVE_HEAD]
}

function join(joins: readonly BankJoin[]): Statement[] {
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
  const shown = sql`
    unnest(${joins.map((j) => j.caseId)}::text[], ${joins.map((j) => j.revision)}::int[], ${bankIds}::text[],
           ${joins.map((j) => j.verdictId)}::text[], ${joins.map((j) => j.by)}::text[],
           ${joins.map((j) => j.brandId)}::text[], ${banks.starts}::int[], ${banks.lengths}::int[],
           ${sources.starts}::int[], ${sources.lengths}::int[])
      x (case_id, revision, bank_id, verdict_id, by, brand_id, bank_start, bank_length, start, length)
    join case_picture c on c.case_id = x.case_id collate "C" and c.revision = x.revision
    join picture p on p.sha256 = c.sha256 and not p.blank
    cross join reference_head h
    where not exists (${OFFICIAL})`
  return [
    sql`
    insert into bank (bank_id, version, body, change, changed_by)
    select distinct on (x.bank_id) x.bank_id, 1,
           convert_from(substring(${banks.blob}::bytea from x.bank_start for x.bank_length), 'UTF8')::jsonb, h.change + 1, x.by
    from ${shown} on conflict (bank_id) do nothing`,
    sql`
    insert into bank_image (image_id, bank_id, sha256, hash, quality, forms, state, source, verdict_id, added_by, change)
    select gen_random_uuid(), x.bank_id, p.sha256, p.hash, p.quality, p.forms, 'active',
           convert_from(substring(${sources.blob}::bytea from x.start for x.length), 'UTF8')::json, x.verdict_id, x.by, h.change + 1
    from ${shown} on conflict (bank_id, sha256, coalesce(verdict_id, '')) where state <> 'removed' do nothing`,
  ]
}

/**
 * Counterfeiters show the maker's own photographs, which say nothing about the goods; in the counterfeit bank they would
 * hold every honest seller. They are scaled and encoded again by each shop, so what counts is what the bank itself calls the
 * same, not the same bytes. An allowed picture is evidence against nobody, whoever owns its bank (only the deployment can
 * make one for all). A genuine one spares what it may own: the deployment's those of all brands, a brand's its own, and any
 * brand's what was confirmed without naming one; else one rights holder could keep another's counterfeits out of the bank.
 *
 * In SQL and not by the index in memory, because what is added while a verdict is given must count, and this is behind the
 * head's lock. Every hash of these banks is compared, those of derived forms too (three times the work of one): they are the photographs of brands, not of sellers.
 * A hash alone cannot be turned, so the maker's photograph mirrored does join.
 */
const OFFICIAL = sql`
      select from bank b join bank_image g on g.bank_id = b.bank_id and g.state = 'active'
      where (b.body ->> 'kind' = 'allowed'
             or (b.body ->> 'kind' = 'genuine'
                 and (b.body ->> 'brandId' is null or x.brand_id is null or b.body ->> 'brandId' = x.brand_id)))
        and (g.sha256 = p.sha256
             -- A hash that cannot be read is compared with nothing, instead of failing every verdict.
             or exists (
               select from unnest(g.hash || g.forms) f (hash)
               where case when f.hash ~ '^[0-9a-f]{64}$' and p.hash ~ '^[0-9a-f]{64}$'
                          then bit_count(('x' || f.hash)::bit(256) # ('x' || p.hash)::bit(256)) <= (b.body ->> 'maxDistance')::int
                          else false end))`

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
    where exists (select from bank_image i where i.change = h.change + 1)
    returning change)
  select pg_notify(${REFERENCE_CHANNEL}, change::text) from moved`
