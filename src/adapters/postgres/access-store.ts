// Who may call: API keys, browser sessions and one-time sign-in links, each known only by its hash.
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import type { Pool } from 'pg'
import type { KeyStore, SessionStore } from '../../api/ports.ts'
import type { ApiKey, Caller } from '../../domain/access.ts'
import { queries } from './connect.ts'
import type { Tables } from './tables.ts'

export function createKeyStore(pool: Pool): KeyStore {
  const db = queries(pool)
  return {
    async create(key, hash) {
      const row = await db
        .insertInto('api_key')
        .values({
          key_id: key.keyId,
          hash: Buffer.from(hash),
          role: key.role,
          brand_ids: [...key.brandIds],
          marketplace: key.marketplace ?? null,
          revoked_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      return keyOf(row)
    },
    async findByHash(hash) {
      const row = await db.selectFrom('api_key').selectAll().where('hash', '=', Buffer.from(hash)).executeTakeFirst()
      return row === undefined ? undefined : keyOf(row)
    },
    async list() {
      const rows = await db.selectFrom('api_key').selectAll().orderBy('created_at').orderBy('key_id').execute()
      return rows.map(keyOf)
    },
    async revoke(keyId) {
      const { rows } = await sql`
        update api_key set revoked_at = coalesce(revoked_at, now()) where key_id = ${keyId} returning key_id`.execute(
        db,
      )
      return rows.length > 0
    },
  }
}

function keyOf(row: Selectable<Tables['api_key']>): ApiKey {
  return {
    keyId: row.key_id,
    role: row.role,
    brandIds: row.brand_ids,
    createdAt: row.created_at.toISOString(),
    ...(row.marketplace === null ? {} : { marketplace: row.marketplace }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at.toISOString() }),
  }
}

export function createSessionStore(pool: Pool): SessionStore {
  const db = queries(pool)
  return {
    async create(hash, caller, seconds, oneTime) {
      // Whoever signs in clears a few expired ones away, so that they never pile up; rows that another is removing are skipped.
      await sql`
        delete from session where hash in
          (select hash from session where expires_at <= now() limit 100 for update skip locked)`.execute(db)
      await sql`
        insert into session (hash, subject, role, brand_ids, marketplace, one_time, expires_at)
        values (${Buffer.from(hash)}, ${caller.subject}, ${caller.role}, ${[...caller.brandIds]}::text[],
                ${caller.marketplace ?? null}, ${oneTime}, now() + ${seconds} * interval '1 second')`.execute(db)
    },
    async find(hash) {
      const { rows } = await sql<Selectable<Tables['session']>>`
        select * from session where hash = ${Buffer.from(hash)} and not one_time and expires_at > now()`.execute(db)
      return callerOf(rows[0])
    },
    async takeToken(hash) {
      const { rows } = await sql<Selectable<Tables['session']>>`
        delete from session where hash = ${Buffer.from(hash)} and one_time and expires_at > now() returning *`.execute(
        db,
      )
      return callerOf(rows[0])
    },
    async end(hash) {
      await db.deleteFrom('session').where('hash', '=', Buffer.from(hash)).execute()
    },
  }
}

function callerOf(row: Selectable<Tables['session']> | undefined): Caller | undefined {
  if (row === undefined) return undefined
  return {
    subject: row.subject,
    role: row.role,
    brandIds: row.brand_ids,
    ...(row.marketplace === null ? {} : { marketplace: row.marketplace }),
  }
}
