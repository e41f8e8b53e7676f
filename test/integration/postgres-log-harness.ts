// A log in a fresh database of the real PostgreSQL of this run, and what the tests must be able to do to it.
import pg from 'pg'
import { LOG_MIGRATIONS } from '../../src/adapters/postgres-log/migrations.ts'
import { createPostgresLog, type PostgresLog } from '../../src/adapters/postgres-log/postgres-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import type { LogHarness } from '../contracts/log.ts'
import { freshDatabase } from '../support/database.ts'

export interface PostgresLogHarness extends LogHarness {
  open(): Promise<PostgresLog>
  readonly url: string
  readonly pool: pg.Pool
}

export async function startPostgresLog(): Promise<PostgresLogHarness> {
  // Short, so that the tests of killed members do not wait long.
  const leaseMs = 900
  const { url, drop } = await freshDatabase()
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  pool.on('error', () => undefined)
  await migrate(pool, 'log', LOG_MIGRATIONS)
  const tools = createPostgresLog({ url, leaseMs })
  const idOf = async (topic: string): Promise<number> => {
    const { rows } = await pool.query<{ topic_id: number }>(
      'select topic_id from touchstone_log.topic where name = $1',
      [topic],
    )
    return rows[0]?.topic_id ?? -1
  }
  return {
    url,
    pool,
    leaseMs,
    process: {
      module: new URL('postgres-log-process.ts', import.meta.url).href,
      argument: JSON.stringify({ url, leaseMs }),
    },
    open: async () => createPostgresLog({ url, leaseMs }),
    async leaveHole(topic, partition) {
      await pool.query('update touchstone_log.partition set next = next + 3 where topic_id = $1 and partition = $2', [
        await idOf(topic),
        partition,
      ])
    },
    async expire(topic, partition, before) {
      await pool.query(
        `update touchstone_log.record set appended_at = now() - interval '1 year' where topic_id = $1 and partition = $2 and record_offset < $3`,
        [await idOf(topic), partition, before.toString()],
      )
      await tools.prune()
    },
    async close() {
      await tools.close()
      await pool.end()
      await drop()
    },
  }
}
