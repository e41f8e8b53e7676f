// The last step of every deciding transaction: positions without holes, and the rows that will be published.
import { sql } from 'kysely'
import { partitionOf } from '../../events/partition.ts'
import type { OutboxRow } from '../../pipeline/ports.ts'
import { encodeHeaders, pack } from './bytes.ts'
import type { Outputs } from './outputs.ts'
import type { Statement } from './statement.ts'

/**
 * Gives every row the next position of its output partition and writes it. The heads are locked here, in order and
 * after everything else, until the commit: whoever sees a position sees all below it, a rollback leaves no hole, and
 * the publisher can assert that it misses nothing. To be sent with the commit, so that nobody waits for heads while a
 * client is thinking.
 */
export function appendToOutbox(rows: readonly OutboxRow[], outputs: Outputs): Statement[] {
  if (rows.length === 0) return []
  const given = new Map<string, Place & { count: number }>()
  const places = rows.map((row) => {
    const place = placeOf(row, outputs)
    const name = `${place.topic}/${place.part}`
    const head = given.get(name) ?? { ...place, count: 0 }
    given.set(name, head)
    head.count += 1
    return { ...place, nth: head.count }
  })
  const heads = [...given.values()]
  const wanted = sql`${heads.map((head) => head.topic)}::text[], ${heads.map((head) => head.part)}::int[]`
  const keys = pack(rows.map((row) => row.key))
  const values = pack(rows.map((row) => row.value))
  const headers = pack(rows.map((row) => encodeHeaders(row.headers)))
  // Two statements: an update alone would lock in the order of its plan, and only the next one sees what it waited for.
  // The time never falls within a partition, even when the clock does: the feed merges partitions by it. Without its head
  // a row has no position, which the table refuses.
  return [
    sql`
    select from outbox_head h where (h.topic, h.part) in (select * from unnest(${wanted}))
    order by h.topic, h.part for update`,
    sql`
    with head as (
      update outbox_head h set pos = h.pos + x.count, at = greatest(h.at, clock_timestamp())
      from unnest(${wanted}, ${heads.map((head) => head.count)}::int[]) x (topic, part, count)
      where h.topic = x.topic collate "C" and h.part = x.part
      returning h.topic, h.part, h.pos - x.count as before, h.at
    )
    insert into outbox (topic, part, pos, key, value, headers, marketplace, at)
    select x.topic, x.part, head.before + x.nth, substring(${keys.blob}::bytea from x.ks for x.kl),
           substring(${values.blob}::bytea from x.vs for x.vl), substring(${headers.blob}::bytea from x.hs for x.hl),
           x.marketplace, head.at
    from unnest(${places.map((p) => p.topic)}::text[], ${places.map((p) => p.part)}::int[], ${places.map((p) => p.nth)}::int[],
                ${keys.starts}::int[], ${keys.lengths}::int[], ${values.starts}::int[], ${values.lengths}::int[],
                ${headers.starts}::int[], ${headers.lengths}::int[], ${rows.map((row) => row.marketplace)}::text[])
         x (topic, part, nth, ks, kl, vs, vl, hs, hl, marketplace)
    left join head on head.topic = x.topic collate "C" and head.part = x.part`,
  ]
}

interface Place {
  readonly topic: string
  readonly part: number
}

function placeOf(row: OutboxRow, outputs: Outputs): Place {
  const partitions = outputs[row.topic]
  if (partitions === undefined) throw new Error(`${row.topic} is not one of the store's outputs`)
  // What has no key has no order to keep either; its value spreads it.
  return { topic: row.topic, part: partitionOf(row.key ?? row.value ?? new Uint8Array(), partitions) }
}
