// A kept picture and, of an animation, its other frames: each is compared, and joins a bank, like a picture of its own.
import { sql } from 'kysely'
import type { Statement } from './statement.ts'

/** Joins, to a query in which `p` is the picture, a row `v` (frame, hash, quality, forms, variants) for each; 0 is the picture. */
export const framesOf = (p: Statement): Statement => sql`
  cross join lateral (
    select 0 as frame, ${p}.hash, ${p}.quality, ${p}.forms, ${p}.variants
    union all
    select f.place::int, f.one ->> 'hash', (f.one ->> 'quality')::int,
           array(select json_array_elements_text(f.one -> 'forms')), array(select json_array_elements_text(f.one -> 'variants'))
    from json_array_elements(${p}.frames) with ordinality f (one, place)) v`
