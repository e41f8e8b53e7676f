// The store's tables, later steps: never changed once released either.
import type { Migration } from './migrate.ts'

// Who put a picture into quarantine says who may let it out; of those that lie there already it is not known, so analysts
// do. What was added over HTTP to a rights holder's bank may be its own word alone, and counts as that until somebody
// vouches for it. Written as text: a file's name may hold what cannot be taken apart (escaped U+0000). Whoever follows the
// banks hears of it.
const words = `
alter table bank_image add column quarantined_by text check (quarantined_by in ('brand', 'deployment'));
update bank_image set quarantined_by = 'deployment' where state = 'quarantined';
with marked as (
  update bank_image i
  set source = regexp_replace(i.source::text, '^\\s*\\{', '{"by":"brand",')::json,
      change = h.change + 1
  from reference_head h, bank b
  where b.bank_id = i.bank_id and b.body ->> 'brandId' is not null and i.state <> 'removed'
    and i.source::text ~ '"kind"\\s*:\\s*"api"'
  returning i.change)
update reference_head set change = change + 1 where exists (select from marked);
`

export const LATER_MIGRATIONS: readonly Migration[] = [{ name: 'whose word a picture of a bank is', sql: words }]
