// How much of a topic a group has still to read, since when it waits, and whether anybody holds the partition.
import type { Pool } from 'pg'
import type { Backlog } from '../../pipeline/log/ports.ts'
import type { Topic } from './topics.ts'

// It names the three tables that reading and sharing need: whatever keeps those waiting keeps this waiting too. The offset of
// a partition with nothing ahead finds no record, so an idle topic costs one row of an index per partition.
const BACKLOG = `
select p.partition, greatest(p.next - coalesce(w.position, p.low), 0)::float8 as records,
  coalesce(extract(epoch from clock_timestamp() - oldest.appended_at), 0)::float8 as seconds,
  coalesce(l.owner is not null and l.until > clock_timestamp(), false) as held
from touchstone_log.partition p
left join unnest($2::int[], $3::bigint[]) as w(partition, position) on w.partition = p.partition
left join touchstone_log.lease l on l.group_name = $4 and l.topic_id = p.topic_id and l.partition = p.partition
left join lateral (
  select r.appended_at from touchstone_log.record r
  where r.topic_id = p.topic_id and r.partition = p.partition and r.record_offset >= coalesce(w.position, p.low)
  order by r.record_offset limit 1
) oldest on true
where p.topic_id = $1 order by p.partition`

export async function readBacklog(
  pool: Pool,
  topic: Topic,
  group: string,
  from: ReadonlyMap<number, bigint>,
): Promise<Backlog[]> {
  const { rows } = await pool.query<Backlog>(BACKLOG, [
    topic.topicId,
    `{${[...from.keys()].join()}}`,
    `{${[...from.values()].join()}}`,
    group,
  ])
  return rows.map((row) => ({ ...row, seconds: Math.max(0, row.seconds) }))
}
