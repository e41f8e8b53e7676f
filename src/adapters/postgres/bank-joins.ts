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
 * leaves, and other verdicts' copies stay. Not a blank picture, and none that a bank of genuine or allowed ones has as it
 * is: counterfeiters show the maker's own photographs, which say nothing about the goods. Said again it changes nothing.
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
           ${banks.starts}::int[], ${banks.lengths}::int[], ${sources.starts}::int[], ${sources.lengths}::int[])
      x (case_id, revision, bank_id, verdict_id, by, bank_start, bank_length, start, length)
    join case_picture c on c.case_id = x.case_id collate "C" and c.revision = x.revision
    join picture p on p.sha256 = c.sha256 and not p.blank
    cross join reference_head h
    where not exists (
      select from bank_image g join bank b on b.bank_id = g.bank_id
      where g.sha256 = p.sha256 and g.state = 'active' and b.body ->> 'kind' in ('genuine', 'allowed'))`
  return [
    sql`
    insert into bank (bank_id, version, body, change, changed_by)
    select distinct on (x.bank_id) x.bank_id, 1,
           convert_from(substring(${banks.blob}::bytea from x.bank_start for x.bank_length), 'UTF8')::jsonb, h.change + 1, x.by
    from ${shown} on conflict (bank_id) do nothing`,
    sql`
    insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, verdict_id, added_by, change)
    select gen_random_uuid(), x.bank_id, p.sha256, p.hash, p.quality, 'active',
           convert_from(substring(${sources.blob}::bytea from x.start for x.length), 'UTF8')::json, x.verdict_id, x.by, h.change + 1
    from ${shown} on conflict (bank_id, sha256, coalesce(verdict_id, '')) where state <> 'removed' do nothing`,
  ]
}

function leave(verdictIds: readonly string[]): Statement[] {
  if (verdictIds.length === 0) return []
  return [
    sql`
    update bank_image i set state = 'removed', change = h.change + 1, changed_at = now(), changed_by = 'verdict'
    from reference_head h where i.verdict_id = any(${verdictIds}::text[]) and i.state <> 'removed'`,
  ]
}

/** Whoever follows the reference data reads it anew with every number: a verdict without pictures costs them nothing. */
const MOVE_HEAD: Statement = sql`
  with moved as (
    update reference_head h set change = h.change + 1
    where exists (select from bank_image i where i.change = h.change + 1)
    returning change)
  select pg_notify(${REFERENCE_CHANNEL}, change::text) from moved`
