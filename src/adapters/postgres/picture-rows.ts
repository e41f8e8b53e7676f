// Writes pictures that somebody needs: a bank, or a case.
import { sql } from 'kysely'
import type { KeptPicture } from '../../domain/kept-picture.ts'
import { pack } from './bytes.ts'
import type { Statement } from './statement.ts'

/**
 * By sha256, so that two who keep the same pictures wait for each other at the first, never crosswise; where that lies in
 * the one lock order is said in reference-head.ts. Those that are there are touched: whoever cleans pictures away goes by
 * their age, and must not take one that is just being needed.
 */
export function writePictures(pictures: readonly KeptPicture[]): Statement[] {
  if (pictures.length === 0) return []
  const rows = [...new Map(pictures.map((one) => [one.sha256, one])).values()].toSorted((a, b) =>
    a.sha256 < b.sha256 ? -1 : 1,
  )
  const bodies = pack(rows.map(({ body }) => body))
  return [
    sql`
    insert into picture (sha256, hash, quality, blank, forms, variants, frames, width, height, body)
    select x.sha256, x.hash, x.quality, x.blank, string_to_array(x.forms, ','), string_to_array(x.variants, ','), x.frames::json,
           x.width, x.height,
           substring(${bodies.blob}::bytea from x.start for x.length)
    from unnest(${rows.map((p) => p.sha256)}::text[], ${rows.map((p) => p.hash)}::text[],
                ${rows.map((p) => p.quality)}::int[], ${rows.map((p) => p.blank)}::boolean[],
                ${rows.map((p) => p.forms.join(','))}::text[], ${rows.map((p) => p.variants.join(','))}::text[],
                ${rows.map((p) => JSON.stringify(p.frames ?? []))}::text[],
                ${rows.map((p) => p.width)}::int[], ${rows.map((p) => p.height)}::int[],
                ${bodies.starts}::int[], ${bodies.lengths}::int[])
         x (sha256, hash, quality, blank, forms, variants, frames, width, height, start, length)
    order by x.sha256 collate "C"
    on conflict (sha256) do update set at = now()`,
  ]
}
