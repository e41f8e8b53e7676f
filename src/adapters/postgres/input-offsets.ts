// Where reading goes on, moved by compare-and-set: of one partition or of several in one order.
import { sql } from 'kysely'
import type { Span } from '../../pipeline/ports.ts'
import type { Statement } from './statement.ts'

export interface MovedOffset {
  readonly grp: string
  readonly topic: string
  readonly part: number
  /** The time by the database's clock. */
  readonly now: Date
}

const columns = (spans: readonly Span[]) =>
  sql`${spans.map((span) => span.group)}::text[], ${spans.map((span) => span.topic)}::text[],
      ${spans.map((span) => span.partition)}::int[]`

/** Locks what several spans move, by group, topic and partition: an update alone would lock in the order of its plan. */
export const lockOffsets = (spans: readonly Span[]): Statement => sql`
  select from input_offset where (grp, topic, part) in (select * from unnest(${columns(spans)}))
  order by grp, topic, part for update`

/** Moves the offsets that are where their spans begin; the answer has those that were. No two spans of one partition. */
export const moveOffsets = (spans: readonly Span[]): Statement<MovedOffset> => sql<MovedOffset>`
  update input_offset o set next = x.upto
  from unnest(${columns(spans)}, ${spans.map((span) => String(span.from))}::bigint[],
              ${spans.map((span) => String(span.next))}::bigint[]) x (grp, topic, part, start, upto)
  where o.grp = x.grp collate "C" and o.topic = x.topic collate "C" and o.part = x.part and o.next = x.start
  returning o.grp, o.topic, o.part, clock_timestamp() as now`
