// Who of a group reads which partition: rows with an owner, an epoch and an end by the database's clock.
import type { Pool } from 'pg'

export interface Member {
  readonly pool: Pool
  readonly group: string
  readonly topicId: number
  readonly member: string
  readonly leaseMs: number
}

export interface Lease {
  readonly partition: number
  /** Rises with every change of owner. */
  readonly epoch: string
}

export interface Survey {
  /** Live members, sorted. */
  readonly members: readonly string[]
  /** Milliseconds until the first lease of somebody else ends; undefined when nobody else holds one. */
  readonly nextEnd: number | undefined
  readonly free: number
}

/** Makes the lease rows of a group that is new on the topic. */
export async function prepareLeases(m: Member, partitions: number): Promise<void> {
  await m.pool.query(
    `insert into touchstone_log.lease (group_name, topic_id, partition) select $1, $2, generate_series(0, $3::int - 1) on conflict do nothing`,
    [m.group, m.topicId, partitions],
  )
}

/** Says that the member lives and renews what it owns; answers with what it still owns. A lease that ended is not revived. */
export async function beat(m: Member): Promise<Lease[]> {
  const { rows } = await m.pool.query<Lease>(
    `with alive as (
       insert into touchstone_log.member (group_name, topic_id, member, until) values ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
       on conflict (group_name, topic_id, member) do update set until = excluded.until
     )
     update touchstone_log.lease set until = clock_timestamp() + $4 * interval '1 millisecond'
     where group_name = $1 and topic_id = $2 and owner = $3 and until > clock_timestamp() returning partition, epoch`,
    [m.group, m.topicId, m.member, m.leaseMs],
  )
  return rows
}

export async function survey(m: Member): Promise<Survey> {
  const { rows } = await m.pool.query<{ members: string[]; next_end: number | null; free: number }>(
    `select
       array(select member::text from touchstone_log.member where group_name = $1 and topic_id = $2 and until > clock_timestamp() order by 1) as members,
       (extract(epoch from min(until) filter (where owner <> $3 and until > clock_timestamp()) - clock_timestamp()) * 1000)::float8 as next_end,
       (count(*) filter (where owner is null or until <= clock_timestamp()))::int as free
     from touchstone_log.lease where group_name = $1 and topic_id = $2`,
    [m.group, m.topicId, m.member],
  )
  const row = rows[0]
  return { members: row?.members ?? [], nextEnd: row?.next_end ?? undefined, free: row?.free ?? 0 }
}

/** Takes up to `count` partitions that nobody owns or whose lease ended. */
export async function acquire(m: Member, count: number): Promise<Lease[]> {
  const { rows } = await m.pool.query<Lease>(
    `update touchstone_log.lease l set owner = $3, epoch = l.epoch + 1, until = clock_timestamp() + $4 * interval '1 millisecond'
     from (
       select partition from touchstone_log.lease
       where group_name = $1 and topic_id = $2 and (owner is null or until <= clock_timestamp())
       order by partition limit $5 for update skip locked
     ) f
     where l.group_name = $1 and l.topic_id = $2 and l.partition = f.partition returning l.partition, l.epoch`,
    [m.group, m.topicId, m.member, m.leaseMs, count],
  )
  return rows
}

export async function release(m: Member, leases: readonly Lease[]): Promise<void> {
  await m.pool.query(
    `update touchstone_log.lease l set owner = null, until = '-infinity' from unnest($4::int[], $5::bigint[]) as w(partition, epoch)
     where l.group_name = $1 and l.topic_id = $2 and l.owner = $3 and l.partition = w.partition and l.epoch = w.epoch`,
    [m.group, m.topicId, m.member, leases.map((l) => l.partition), leases.map((l) => l.epoch)],
  )
}

/** Leaves the group with all that is owned, and clears away members that died long ago. */
export async function leave(m: Member): Promise<void> {
  await m.pool.query(
    `with gone as (
       delete from touchstone_log.member where group_name = $1 and topic_id = $2
       and (member = $3 or until < clock_timestamp() - 10 * $4 * interval '1 millisecond')
     )
     update touchstone_log.lease set owner = null, until = '-infinity' where group_name = $1 and topic_id = $2 and owner = $3`,
    [m.group, m.topicId, m.member, m.leaseMs],
  )
}

/** How many of the partitions a member should have: shares differ by one at most, the first in the list get the rest. */
export function fairShare(members: readonly string[], me: string, partitions: number): number {
  const rank = members.indexOf(me)
  if (rank < 0) return 0
  return Math.floor(partitions / members.length) + (rank < partitions % members.length ? 1 : 0)
}
