// A database of its own for each test, on the real PostgreSQL of this run.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface FreshDatabase {
  readonly url: string
  /** Ends what is still connected to it. */
  drop(): Promise<void>
}

/** An empty database; call `drop` when done. Names start with `touchstone_test_`. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = inject('serverUrl')
  const name = `touchstone_test_${randomBytes(6).toString('hex')}`
  await command(server, `create database ${name} template template0`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => command(server, `drop database if exists ${name} with (force)`),
  }
}

async function command(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
