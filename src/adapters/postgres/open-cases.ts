// How many cases wait for a person and since when, for the metrics.
import type { Pool } from 'pg'

export async function countOpenCases(pool: Pool): Promise<{ open: number; oldestSeconds: number }> {
  const { rows } = await pool.query<{ open: number; oldest: number }>(
    `select count(*)::int as open, coalesce(extract(epoch from clock_timestamp() - min(opened_at)), 0)::float8 as oldest
     from review_case where state = 'open'`,
  )
  return { open: rows[0]?.open ?? 0, oldestSeconds: Math.max(0, rows[0]?.oldest ?? 0) }
}
