// Real: PostgreSQL. Every test that asks gets an empty database that nobody else sees.
import pg from 'pg'
import { expect, test } from 'vitest'
import { freshDatabase } from '../../support/database.ts'

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('two databases know nothing of each other, and are gone when dropped', async () => {
  const one = await freshDatabase()
  const two = await freshDatabase()
  try {
    await query(one.url, 'create table only_here (n int)')
    await expect(query(two.url, 'select * from only_here')).rejects.toThrow('only_here')
  } finally {
    await one.drop()
    await two.drop()
  }
  await expect(query(one.url, 'select 1')).rejects.toThrow('does not exist')
})

test('a database is dropped although something is still connected to it', async () => {
  const database = await freshDatabase()
  const client = new pg.Client({ connectionString: database.url })
  const ended = new Promise<void>((resolve) => client.on('error', () => resolve()))
  await client.connect()
  await database.drop()
  await ended
})
