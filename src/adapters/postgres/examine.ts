// What `doctor` asks the database: version, durability, the clock, whether the tables are there; and where reading stands.
import type { Pool } from 'pg'
import { SCHEMA } from './connect.ts'

export interface Examination {
  readonly version: string
  /** Settings whose `off` may lose committed decisions. */
  readonly settings: readonly { readonly name: string; readonly value: string }[]
  /** The database's clock minus ours; half a round trip of error. */
  readonly clockSkewMs: number
  /** The store's tables are there. */
  readonly prepared: boolean
}

/**
 * Next offset of every partition of the topic that the group has read. With `timeoutMs` it throws after that time and its
 * connection is given up, for those who ask whether the store answers at all.
 */
export async function readOffsets(
  pool: Pool,
  wanted: { readonly group: string; readonly topic: string },
  timeoutMs?: number,
): Promise<Map<number, bigint>> {
  const { rows } = await pool.query<{ part: number; next: string }>({
    text: `select part, next from ${SCHEMA}.input_offset where grp = $1 and topic = $2 order by part`,
    values: [wanted.group, wanted.topic],
    ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
  })
  return new Map(rows.map((row) => [row.part, BigInt(row.next)]))
}

export async function examine(pool: Pool): Promise<Examination> {
  const settings = await pool.query<{ name: string; value: string }>(
    `select name, setting as value from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
  )
  const before = Date.now()
  const facts = await pool.query<{ version: string; now: Date; prepared: boolean }>(
    `select current_setting('server_version') as version, clock_timestamp() as now, to_regclass($1) is not null as prepared`,
    [`${SCHEMA}.input_offset`],
  )
  const ours = (before + Date.now()) / 2
  const fact = facts.rows[0]
  if (fact === undefined) throw new Error('the database answered without a row')
  return {
    version: fact.version,
    settings: settings.rows,
    clockSkewMs: Math.round(fact.now.getTime() - ours),
    prepared: fact.prepared,
  }
}
