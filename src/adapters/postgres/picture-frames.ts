// A kept picture and, of an animation, its other frames: each is compared, and joins a bank, like a picture of its own.
import { sql } from 'kysely'
import type { Statement } from './statement.ts'

/** Stands for a derived form that is too plain to be matched. */
const NO_FORM = '0'.repeat(64)

/**
 * Joins, to a query in which `p` is the picture, a row `v` (frame, hash, quality, forms, variants) for each; 0 is the picture.
 * `variants` are all hashes by which an entry of it would match, each once: of what a version before kept, its derived forms
 * as they stand, and not turned.
 */
export const framesOf = (p: Statement): Statement => sql`
  cross join lateral (
    select x.frame, x.hash, x.quality, x.forms, array(
             select distinct u.hash from unnest(x.hash || x.variants || x.forms) u (hash) where u.hash <> ${NO_FORM}) as variants
    from (
      select 0 as frame, ${p}.hash, ${p}.quality, ${p}.forms, ${p}.variants
      union all
      select f.place::int, f.one ->> 'hash', (f.one ->> 'quality')::int,
             array(select json_array_elements_text(f.one -> 'forms')), array(select json_array_elements_text(f.one -> 'variants'))
      from json_array_elements(${p}.frames) with ordinality f (one, place)) x) v`
