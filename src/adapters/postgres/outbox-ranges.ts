// The outbox for publishers beside the store: ranges under leases, positions to read from, tails that move by compare-and-set.
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Mark, Move, Place, RangeOutbox } from '../../pipeline/publishing/ports.ts'
import { queries } from './connect.ts'
import { assertDense, readBacklog, readRows, shareOut } from './outbox-rows.ts'
import type { Waiting } from './outbox-rows.ts'
import type { Tables } from './tables.ts'

export interface RangeOutboxOptions {
  /** Its time limits bound every question here. */
  readonly pool: Pool
  /** Topics that are published; their partitions are those that `createGateStore` has counted. */
  readonly topics: readonly string[]
  /** Names this process among those that share the outbox, made up when not given. */
  readonly owner?: string
  /** How long others wait for an owner that is gone. */
  readonly leaseMs?: number
  /** How long an owner leaves a free range to others for each one that it has. */
  readonly courtesyMs?: number
}

// Of one partition and round: some dozen rounds fit into memory whatever the rows are, and into what a broker takes at once.
const SHARE_BYTES = 2 * 1024 * 1024
// Clocks differ in speed and questions take time: an owner stops a little before the others may begin.
const MARGIN = 0.8

/** To be called after `createGateStore`, which makes the counters. */
export async function createRangeOutbox({
  pool,
  topics,
  owner = randomUUID(),
  leaseMs = 3_000,
  courtesyMs = 500,
}: RangeOutboxOptions): Promise<RangeOutbox> {
  const db = queries(pool)
  const { id: storeId } = await db.selectFrom('store_identity').select('id').executeTakeFirstOrThrow()
  const counted = await db
    .selectFrom('outbox_head')
    .select(['topic', 'part'])
    .where('topic', 'in', [...topics])
    .orderBy('topic')
    .orderBy('part')
    .execute()
  const missing = topics.find((topic) => !counted.some((place) => place.topic === topic))
  if (missing !== undefined) throw new Error(`${missing} has no counters: prepareOutputs was not called`)
  return {
    storeId,
    places: counted.map(({ topic, part }) => ({ topic, partition: part })),

    async lease(range) {
      const name = leaseName(range)
      const epoch = (await takeLease(db, name, owner, leaseMs, courtesyMs)) ?? undefined
      return epoch === undefined ? undefined : { epoch: BigInt(epoch), validMs: leaseMs * MARGIN }
    },

    async release(range) {
      await sql`
        update outbox_lease set until = clock_timestamp()
        where name = ${leaseName(range)} and owner = ${owner} and until > clock_timestamp()`.execute(db)
    },

    marks: (places) => readMarks(db, places),

    async after(from, limit) {
      const waiting = await readAhead(db, from)
      const share = shareOut(waiting, limit)
      if (share.length === 0) return []
      const rows = await readRows(db, share, SHARE_BYTES)
      assertDense(rows, share, false)
      return rows
    },

    mark: (moves) => moveTails(db, moves),
    backlog: () => readBacklog(db, topics),
  }
}

const leaseName = (range: string): string => `outbox range ${range}`

const columns = (places: readonly Place[]) =>
  sql`${places.map((place) => place.topic)}::text[], ${places.map((place) => place.partition)}::int[]`

/**
 * The epoch of the lease, if it is ours now: renewed, or free for longer than the courtesy that this owner owes for the
 * ranges it has. A lease that nobody ever had counts as free from now on, so that processes that start together share.
 */
async function takeLease(
  db: Kysely<Tables>,
  name: string,
  owner: string,
  leaseMs: number,
  courtesyMs: number,
): Promise<string | undefined> {
  const take = sql<{ epoch: string }>`
    update outbox_lease l set owner = ${owner}, until = clock_timestamp() + ${leaseMs} * interval '1 ms',
      epoch = l.epoch + (l.owner <> ${owner} or l.until < clock_timestamp())::int
    where name = ${name} and (
      (l.owner = ${owner} and l.until > clock_timestamp())
      or l.until <= clock_timestamp() - ${courtesyMs} * interval '1 ms' * (
        select count(*) from outbox_lease held
        where held.owner = ${owner} and held.until > clock_timestamp() and held.name like 'outbox range %'))
    returning epoch`
  const taken = (await take.execute(db)).rows[0]
  if (taken !== undefined) return taken.epoch
  const made = await sql`
    insert into outbox_lease (name, owner, epoch, until) values (${name}, '', 0, clock_timestamp()) on conflict do nothing`.execute(
    db,
  )
  return made.numAffectedRows === 1n ? (await take.execute(db)).rows[0]?.epoch : undefined
}

async function readMarks(db: Kysely<Tables>, places: readonly Place[]): Promise<Mark[]> {
  const { rows } = await sql<{ topic: string; part: number; head: string; tail: string; floor: string }>`
    select h.topic, h.part, h.pos as head, t.pos as tail, f.pos as floor
    from outbox_head h join outbox_tail t using (topic, part) join outbox_floor f using (topic, part)
    where (h.topic, h.part) in (select * from unnest(${columns(places)}))
    order by h.topic, h.part`.execute(db)
  return rows.map(({ topic, part, head, tail, floor }) => ({
    topic,
    partition: part,
    head: BigInt(head),
    tail: BigInt(tail),
    floor: BigInt(floor),
  }))
}

/** What lies between the given positions and the heads. */
async function readAhead(
  db: Kysely<Tables>,
  from: readonly (Place & { readonly position: bigint })[],
): Promise<Waiting[]> {
  const { rows } = await sql<{ topic: string; part: number; tail: string; head: string }>`
    select h.topic, h.part, x.pos as tail, h.pos as head
    from unnest(${columns(from)}, ${from.map((one) => String(one.position))}::bigint[]) x (topic, part, pos)
    join outbox_head h on h.topic = x.topic collate "C" and h.part = x.part
    where h.pos > x.pos order by h.topic, h.part`.execute(db)
  return rows.map((row) => ({ topic: row.topic, part: row.part, tail: BigInt(row.tail), head: BigInt(row.head) }))
}

/**
 * One statement, which is a transaction by itself. The rows are locked in order first, and what they say then is what
 * counts: the update finds by its older view only which rows to write, so it must not ask them for their position again.
 */
async function moveTails(db: Kysely<Tables>, moves: readonly Move[]): Promise<boolean> {
  const moved = await sql`
    with x as (
      select * from unnest(${columns(moves)}, ${moves.map((move) => String(move.from))}::bigint[],
                           ${moves.map((move) => String(move.to))}::bigint[]) x (topic, part, tail, upto)),
    held as materialized (
      select t.topic, t.part, t.pos from outbox_tail t where (t.topic, t.part) in (select topic, part from x)
      order by t.topic, t.part for update)
    update outbox_tail t set pos = x.upto from x
    where t.topic = x.topic collate "C" and t.part = x.part
      and (select count(*) from held h join x on x.topic = h.topic and x.part = h.part and x.tail = h.pos) = ${moves.length}`.execute(
    db,
  )
  return moved.numAffectedRows === BigInt(moves.length)
}
