// A store as an older version left it: the tables from before a migration, on a database of its own.
import { onTestFinished } from 'vitest'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { freshDatabase } from './database.ts'

/** Call it in a test: the database goes when that ends. Throws where there is no migration of the name, or none before it. */
export async function storeBefore(migration: string) {
  const before = STORE_MIGRATIONS.findIndex(({ name }) => name === migration)
  if (before <= 0) throw new Error(`No migration to stop before: ${migration}`)
  const { url, drop } = await freshDatabase()
  const database = await connect(url)
  onTestFinished(async () => {
    await database.close()
    await drop()
  })
  const pool = database.deciding
  await migrate(pool, 'store', STORE_MIGRATIONS.slice(0, before))
  return { pool, listener: database.listener, upgrade: () => migrate(pool, 'store', STORE_MIGRATIONS) }
}
