// A kept picture and, of an animation, its other frames: each is compared, and joins a bank, like a picture of its own.
import { sql } from 'kysely'
import type { Statement } from './statement.ts'

/** Stands for a derived form that is too plain to be matched. */
const NO_FORM = '0'.repeat(64)

/**
 * Joins, to a query in which `p` is the picture, a row `v` (frame, hash, quality, forms, variants) for each; 0 is the picture.
 * `variants` are all hashes by which an entry of it would match, each once: of what a version before kept, its derived forms
 * as they stand, and not turned. `frames`: its others, where not all are wanted.
 */
export const framesOf = (p: Statement, frames = sql`${p}.frames`): Statement =>
  rows(sql`${itself(p)} union all ${others(frames)}`)

/** The same of the picture itself: without reading its other frames, which may be a hundred kilobytes. */
export const stillOf = (p: Statement): Statement => rows(itself(p))

/** The same of its other frames. */
export const othersOf = (p: Statement): Statement => rows(others(sql`${p}.frames`))

/** Whether it has any, by the room that they take: to count them they would have to be read. */
export const hasOthers = (p: Statement): Statement<boolean> => sql<boolean>`pg_column_size(${p}.frames) > 8`

const rows = (each: Statement): Statement => sql`
  cross join lateral (
    select x.frame, x.hash, x.quality, x.forms, array(
             select distinct u.hash from unnest(x.hash || x.variants || x.forms) u (hash) where u.hash <> ${NO_FORM}) as variants
    from (${each}) x) v`

const itself = (p: Statement): Statement => sql`
      select 0 as frame, ${p}.hash, ${p}.quality, ${p}.forms, ${p}.variants`

const others = (frames: Statement): Statement => sql`
      select f.place::int as frame, f.one ->> 'hash' as hash, (f.one ->> 'quality')::int as quality,
             array(select json_array_elements_text(f.one -> 'forms')) as forms,
             array(select json_array_elements_text(f.one -> 'variants')) as variants
      from json_array_elements(${frames}) with ordinality f (one, place)`
