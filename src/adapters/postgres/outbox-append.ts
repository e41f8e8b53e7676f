// The last step of every deciding transaction: positions without holes, and the rows that will be published.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import { partitionOf } from '../../events/partition.ts'
import type { OutboxRow } from '../../pipeline/ports.ts'
import { encodeHeaders, pack } from './bytes.ts'
import type { Outputs } from './outputs.ts'
import type { Tables } from './tables.ts'

/**
 * Gives every row the next position of its output partition and writes it. The heads are locked here, in order and
 * after everything else, until the commit: whoever sees a position sees all below it, a rollback leaves no hole, and
 * the publisher can assert that it misses nothing.
 */
export async function appendToOutbox(db: Kysely<Tables>, rows: readonly OutboxRow[], outputs: Outputs): Promise<void> {
  if (rows.length === 0) return
  const places = rows.map((row) => placeOf(row, outputs))
  const wanted = new Map(places.map((place) => [nameOf(place), place]))
  const topics = [...wanted.values()].map((place) => place.topic)
  const parts = [...wanted.values()].map((place) => place.part)
  const keys = pack(rows.map((row) => row.key))
  const values = pack(rows.map((row) => row.value))
  const headers = pack(rows.map((row) => encodeHeaders(row.headers)))
  const heads = await sql<{ topic: string; part: number; pos: string }>`
    select h.topic, h.part, h.pos from outbox_head h
    where (h.topic, h.part) in (select * from unnest(${topics}::text[], ${parts}::int[]))
    order by h.topic, h.part for update`.execute(db)
  const last = new Map(heads.rows.map((head) => [nameOf(head), BigInt(head.pos)]))
  const positions = places.map((place) => {
    const name = nameOf(place)
    const before = last.get(name)
    if (before === undefined) throw new Error(`the outbox has no head for ${name}: prepareOutputs was not called`)
    last.set(name, before + 1n)
    return before + 1n
  })
  // The time never falls within a partition, even when the clock does: the feed merges partitions by it.
  await sql`
    with head as (
      update outbox_head h set pos = x.pos, at = greatest(h.at, clock_timestamp())
      from unnest(${topics}::text[], ${parts}::int[],
                  ${[...wanted.keys()].map((name) => String(last.get(name)))}::bigint[]) x (topic, part, pos)
      where h.topic = x.topic and h.part = x.part
      returning h.topic, h.part, h.at
    )
    insert into outbox (topic, part, pos, key, value, headers, marketplace, at)
    select x.topic, x.part, x.pos, substring(${keys.blob}::bytea from x.ks for x.kl),
           substring(${values.blob}::bytea from x.vs for x.vl), substring(${headers.blob}::bytea from x.hs for x.hl),
           x.marketplace, head.at
    from unnest(${places.map((p) => p.topic)}::text[], ${places.map((p) => p.part)}::int[], ${positions.map(String)}::bigint[],
                ${keys.starts}::int[], ${keys.lengths}::int[], ${values.starts}::int[], ${values.lengths}::int[],
                ${headers.starts}::int[], ${headers.lengths}::int[], ${rows.map((row) => row.marketplace)}::text[])
         x (topic, part, pos, ks, kl, vs, vl, hs, hl, marketplace)
    join head on head.topic = x.topic and head.part = x.part`.execute(db)
}

interface Place {
  readonly topic: string
  readonly part: number
}

const nameOf = (place: Place): string => `${place.topic}/${place.part}`

function placeOf(row: OutboxRow, outputs: Outputs): Place {
  const partitions = outputs[row.topic]
  if (partitions === undefined) throw new Error(`${row.topic} is not one of the store's outputs`)
  // What has no key has no order to keep either; its value spreads it.
  return { topic: row.topic, part: partitionOf(row.key ?? row.value ?? new Uint8Array(), partitions) }
}
