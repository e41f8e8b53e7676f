// Removes records that are older than their topic holds them, from the low end, in small bites.
import type { Pool } from 'pg'

// Records are looked at in the order of their offsets and the first young one ends the bite, so what stays has no holes even
// where the clock once ran backwards. Bounds are single values, so that the index is entered at them and not walked from its
// beginning, where the dead rows of earlier bites are. The partition's row comes last: its lock, which appends need, is held for the commit only.
const BITE = `
with held as (
  select low from touchstone_log.partition where topic_id = $1 and partition = $2
), bite as (
  select record_offset, appended_at from touchstone_log.record
  where topic_id = $1 and partition = $2 and record_offset >= (select low from held)
  order by record_offset limit $4
), cut as (
  select coalesce(min(record_offset) filter (where appended_at >= clock_timestamp() - $3 * interval '1 hour'), max(record_offset) + 1) as low
  from bite
), gone as (
  delete from touchstone_log.record
  where topic_id = $1 and partition = $2 and record_offset >= (select low from held) and record_offset < (select low from cut) returning 1
), counted as (
  select count(*)::int as n from gone
)
update touchstone_log.partition p set low = greatest(p.low, cut.low) from cut, counted
where p.topic_id = $1 and p.partition = $2 and cut.low > p.low returning counted.n`

const BITE_RECORDS = 2_000

/** Returns how many records were removed. Safe to run in several processes. */
export async function pruneRecords(pool: Pool, signal: AbortSignal): Promise<number> {
  const { rows } = await pool.query<{ topic_id: number; partition: number; retention_hours: number }>(
    // Only where the lowest record is old: the others cost no bite.
    `select p.topic_id, p.partition, t.retention_hours
     from touchstone_log.partition p join touchstone_log.topic t using (topic_id) cross join lateral (
       select r.appended_at from touchstone_log.record r
       where r.topic_id = p.topic_id and r.partition = p.partition and r.record_offset >= p.low
       order by r.record_offset limit 1
     ) lowest
     where p.low < p.next and lowest.appended_at < clock_timestamp() - t.retention_hours * interval '1 hour' order by 1, 2`,
  )
  let removed = 0
  for (const { topic_id, partition, retention_hours } of rows) {
    for (let n = BITE_RECORDS; n >= BITE_RECORDS && !signal.aborted; removed += n) {
      const bite = await pool.query<{ n: number }>(BITE, [topic_id, partition, retention_hours, BITE_RECORDS])
      n = bite.rows[0]?.n ?? 0
    }
  }
  return removed
}
