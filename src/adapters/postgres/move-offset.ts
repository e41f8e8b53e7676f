// Sets by hand where reading goes on: for records that are gone or cannot be read, when a person has decided to do without.
import type { Pool } from 'pg'
import { SCHEMA } from './connect.ts'

/**
 * Moves the offset of one partition, by compare-and-set as the gate itself does: a worker that reads on meanwhile finds it
 * moved and begins there. Undefined when done, else where it is instead of at `from`. One that was never read stands at
 * `low`, the first offset that the log holds.
 */
export async function moveOffsetByHand(
  pool: Pool,
  at: { readonly group: string; readonly topic: string; readonly partition: number },
  from: bigint,
  to: bigint,
  low: bigint,
): Promise<bigint | undefined> {
  const place = [at.group, at.topic, at.partition]
  if (from === low)
    await pool.query(
      `insert into ${SCHEMA}.input_offset (grp, topic, part, next) values ($1, $2, $3, $4) on conflict do nothing`,
      [...place, String(low)],
    )
  const moved = await pool.query(
    `update ${SCHEMA}.input_offset set next = $5 where grp = $1 and topic = $2 and part = $3 and next = $4`,
    [...place, String(from), String(to)],
  )
  if (moved.rowCount === 1) return undefined
  const { rows } = await pool.query<{ next: string }>(
    `select next from ${SCHEMA}.input_offset where grp = $1 and topic = $2 and part = $3`,
    place,
  )
  return rows[0] === undefined ? low : BigInt(rows[0].next)
}
