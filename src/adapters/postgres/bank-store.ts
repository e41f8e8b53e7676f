// Banks and their pictures: rows under the change number of all reference data; what leaves a bank stays as a removed row.
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Client, Pool } from 'pg'
import { bankSchema } from '../../domain/bank.ts'
import type { Bank, BankChange } from '../../domain/bank.ts'
import { describeIssues } from '../../domain/schema-issues.ts'
import { TouchstoneError } from '../../errors.ts'
import type { BankStore, BankSummary } from '../../rights/bank-ports.ts'
import { readCensus, readChanges } from './bank-changes.ts'
import { createAlarm, forgetAlerts, setQuarantine } from './bank-quarantine.ts'
import {
  assertFillable,
  assertMine,
  assertNear,
  NOT_FREE,
  owned,
  sourceIn,
  stopped,
  stoppedAmong,
  taken,
  unvouched,
} from './bank-rights.ts'
import { imageOf, IMAGE_COLUMNS, LISTED_COLUMNS } from './bank-rows.ts'
import type { ImageRow } from './bank-rows.ts'
import { packJson } from './bytes.ts'
import { listen } from './change-listener.ts'
import { queries } from './connect.ts'
import { writePictures } from './picture-rows.ts'
import { lockHead, moveHead, REFERENCE_CHANNEL } from './reference-head.ts'
import { inTransaction } from './transaction.ts'
import type { Transaction } from './transaction.ts'

export interface BankStoreOptions {
  readonly pool: Pool
  /** A connection of its own for the notifications. */
  readonly listener: () => Client
}

/** Each picture is up to a hundred kilobytes: what one call sends and one change holds stays bounded. */
const MOST_AT_ONCE = 500

export function createBankStore({ pool, listener: connect }: BankStoreOptions): BankStore {
  const db = queries(pool)

  /** Under the lock; `work` says whether anything changed. */
  const change = <T>(work: (tx: Transaction, change: bigint) => Promise<{ changed: boolean; result: T }>): Promise<T> =>
    inTransaction(pool, async (tx) => {
      const next = await lockHead(tx.db)
      const { changed, result } = await work(tx, next)
      if (!changed) return { undo: result }
      await moveHead(tx.db, next)
      return { done: result }
    })

  return {
    async identity() {
      return (await db.selectFrom('store_identity').select('id').executeTakeFirstOrThrow()).id
    },

    async banks(scope) {
      const { rows } = await sql<{ body: Bank } & Omit<BankSummary, keyof Bank>>`
        select b.body, count(*) filter (where i.state = 'active')::int as images,
               count(*) filter (where i.state = 'quarantined')::int as quarantined,
               (select count(distinct a.image_id) from bank_alert a join bank_image x on x.image_id = a.image_id
                where x.bank_id = b.bank_id and x.state = 'active')::int as alerted,
               (select count(*) from bank_image u where u.bank_id = b.bank_id and ${unvouched(sql`u`, sql`b`)})::int as limited
        from bank b left join bank_image i on i.bank_id = b.bank_id and i.state <> 'removed'
        where ${owned(scope)} group by b.bank_id order by b.bank_id`.execute(db)
      return rows.map(({ body, ...counts }): BankSummary => ({ ...body, ...counts }))
    },

    async bank(bankId, scope) {
      const { rows } = await sql<{ body: Bank }>`
        select b.body from bank b where b.bank_id = ${bankId} and ${owned(scope)}`.execute(db)
      return rows[0]?.body
    },

    upsertBank(asked, by, scope) {
      return change(async ({ db: tx }, next) => {
        const { rows } = await sql<{ body: Bank; mine: boolean; used: boolean }>`
          select b.body, ${owned(scope)} as mine,
                 exists (select from bank_image i where i.bank_id = b.bank_id and i.state <> 'removed') as used
          from bank b where b.bank_id = ${asked.bankId}`.execute(tx)
        const [before] = rows
        if (before !== undefined && !before.mine) throw taken(asked.bankId, NOT_FREE)
        const bank = changedBank(before?.body, asked)
        assertMine(bank, before?.body, scope)
        assertNear(bank, before?.body, scope)
        const { kind, brandId } = before?.body ?? bank
        if (before?.used === true && (kind !== bank.kind || brandId !== bank.brandId))
          throw taken(bank.bankId, 'has pictures: its kind and its owner stay')
        const { numAffectedRows } = await sql`
          insert into bank as b (bank_id, version, body, change, changed_by)
          values (${bank.bankId}, 1, ${JSON.stringify(bank)}::jsonb, ${String(next)}::bigint, ${by})
          on conflict (bank_id) do update set version = b.version + 1, body = excluded.body, change = excluded.change,
            changed_at = now(), changed_by = excluded.changed_by where b.body <> excluded.body`.execute(tx)
        return { changed: numAffectedRows !== 0n, result: { bank, isNew: before === undefined } }
      })
    },

    async images(bankId, { after, limit, state = null, sha256 = null }) {
      const { rows } = await sql<ImageRow>`
        select ${LISTED_COLUMNS} from bank_image i
        where i.bank_id = ${bankId} and i.state <> 'removed' and (${sha256}::text is null or i.sha256 = ${sha256})
          and (${state}::text is null or i.state = ${state}
               or ${state} = 'limited' and exists (select from bank b where b.bank_id = i.bank_id and ${unvouched(sql`i`, sql`b`)})
               or ${state} = 'alerted' and i.state = 'active' and exists (select from bank_alert a where a.image_id = i.image_id))
          and i.image_id > ${after ?? '00000000-0000-0000-0000-000000000000'}::uuid
        order by i.image_id limit ${limit}`.execute(db)
      return rows.map(imageOf)
    },

    async image(bankId, imageId, scope) {
      const { rows } = await sql<ImageRow>`
        select ${LISTED_COLUMNS} from bank_image i join bank b on b.bank_id = i.bank_id
        where i.image_id = ${imageId} and i.bank_id = ${bankId} and i.state <> 'removed' and ${owned(scope)}`.execute(
        db,
      )
      return rows.map(imageOf)[0]
    },

    async addImages(bankId, images, by, scope) {
      if (images.length > MOST_AT_ONCE) throw new Error(`at most ${MOST_AT_ONCE} pictures at once`)
      const blank = images.find(({ picture }) => picture.blank)
      if (blank !== undefined)
        throw new TouchstoneError(
          'picture-blank',
          `the picture ${blank.picture.sha256} is nearly blank or too plain (quality ${blank.picture.quality} of 100)`,
        )
      return inTransaction(pool, async (tx) => {
        // Pictures come before the head in the one lock order (reference-head.ts).
        await tx.send(writePictures(images.map(({ picture }) => picture)))
        const next = await lockHead(tx.db)
        const { rows: banks } = await sql<{ body: Bank }>`
          select b.body from bank b where b.bank_id = ${bankId} and ${owned(scope)}`.execute(tx.db)
        const [into] = banks
        if (into === undefined) throw new TouchstoneError('not-found', `there is no bank ${bankId} for this caller`)
        assertFillable(into.body, scope)
        if (scope !== 'all') {
          const sha256s = images.map(({ picture }) => picture.sha256)
          const [again] = (await stoppedAmong(sha256s, scope).execute(tx.db)).rows
          if (again !== undefined) throw stopped(`the picture ${again.sha256}`)
        }
        const sources = packJson(images.map(({ source }) => sourceIn(scope, source)))
        const entries = images.flatMap(({ picture, source: { verdictId = null } }, place) =>
          [picture, ...(picture.frames ?? [])].map(({ hash, quality, forms }, frame) => {
            const [start, length] = [sources.starts[place], sources.lengths[place]]
            return { sha256: picture.sha256, frame, hash, quality, forms: forms.join(','), verdictId, start, length }
          }),
        )
        const { rows } = await sql<ImageRow & { frame: number }>`
          insert into bank_image as i (image_id, bank_id, sha256, frame, hash, quality, forms, state, source, verdict_id, added_by, change)
          select x.image_id, ${bankId}, x.sha256, x.frame, x.hash, x.quality, string_to_array(x.forms, ','), 'active',
                 convert_from(substring(${sources.blob}::bytea from x.start for x.length), 'UTF8')::json,
                 x.verdict_id, ${by}, ${String(next)}::bigint
          from unnest(${entries.map(() => randomUUID())}::uuid[], ${entries.map((e) => e.sha256)}::text[],
                      ${entries.map((e) => e.frame)}::int[], ${entries.map((e) => e.hash)}::text[],
                      ${entries.map((e) => e.quality)}::int[], ${entries.map((e) => e.forms)}::text[],
                      ${entries.map((e) => e.verdictId)}::text[],
                      ${entries.map((e) => e.start)}::int[], ${entries.map((e) => e.length)}::int[])
               x (image_id, sha256, frame, hash, quality, forms, verdict_id, start, length)
          on conflict (bank_id, sha256, coalesce(verdict_id, ''), frame) where state <> 'removed' do nothing
          returning ${IMAGE_COLUMNS}, i.frame`.execute(tx.db)
        const files = new Set(rows.map(({ sha256, source: { verdictId = '' } }) => `${sha256} ${verdictId}`)).size
        const added = rows.toSorted((a, b) => a.frame - b.frame).map(imageOf)
        const result = { added, present: images.length - files }
        if (rows.length === 0) return { undo: result }
        await moveHead(tx.db, next)
        return { done: result }
      })
    },

    removeImage(bankId, imageId, by, scope) {
      return change(async ({ db: tx }, next) => {
        const { numAffectedRows } = await sql`
          with gone as (
            update bank_image i set state = 'removed', change = ${String(next)}::bigint, changed_at = now(), changed_by = ${by}
            from bank b where i.image_id = ${imageId} and i.bank_id = ${bankId} and i.state <> 'removed'
              and b.bank_id = i.bank_id and ${owned(scope)}
            returning i.image_id, i.change)
          insert into bank_departure (image_id, change) select image_id, change from gone`.execute(tx)
        return { changed: numAffectedRows === 1n, result: numAffectedRows === 1n }
      })
    },

    quarantine: (bankId, imageId, by, on, scope) =>
      change(({ db: tx }, next) => setQuarantine(tx, next, { bankId, imageId, by, on, scope })),

    vouch(bankId, imageId, by) {
      return change(async ({ db: tx }, next) => {
        const { rows } = await sql<Pick<ImageRow, 'source'>>`
          select source from bank_image where image_id = ${imageId} and bank_id = ${bankId} and state <> 'removed'
          for update`.execute(tx)
        const [row] = rows
        if (row === undefined || row.source.vouched === true) return { changed: false, result: row !== undefined }
        const { by: _, ...source } = row.source
        const vouched = packJson([{ ...source, vouched: true }])
        await sql`
          update bank_image set source = convert_from(${vouched.blob}::bytea, 'UTF8')::json,
            change = ${String(next)}::bigint, changed_at = now(), changed_by = ${by}
          where image_id = ${imageId}`.execute(tx)
        return { changed: true, result: true }
      })
    },

    alarm: createAlarm(pool),

    changesSince: (since, limit) => readChanges(pool, since, limit),

    census: () => readCensus(pool),

    async purge(seconds, limit) {
      await forgetAlerts(pool)
      return inTransaction(pool, async ({ db: tx }) => {
        // The floor moves under the lock, but the number does not: nobody has to look.
        await lockHead(tx)
        const { rows } = await sql<{ gone: number }>`
          with old as (
            select image_id from bank_image
            where state = 'removed' and changed_at < now() - ${seconds} * interval '1 second'
            order by changed_at limit ${limit}),
          gone as (delete from bank_image i using old where i.image_id = old.image_id returning i.change),
          raised as (
            update reference_head set bank_floor = greatest(bank_floor, (select max(change) from gone))
            where exists (select from gone))
          select count(*)::int as gone from gone`.execute(tx)
        const gone = rows[0]?.gone ?? 0
        return gone === 0 ? { undo: 0 } : { done: gone }
      })
    },

    onChange: (listener) => listen(connect, REFERENCE_CHANNEL, listener),
  }
}

/** Told by its schema what it is, so that a new one has its defaults and must have what has none. */
function changedBank(before: Bank | undefined, asked: BankChange): Bank {
  const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const wanted = { ...before, ...said }
  const parsed = bankSchema.safeParse(wanted)
  if (parsed.success) return parsed.data
  const { path, message } = describeIssues(parsed.error, wanted)
  throw new TouchstoneError('invalid', message, { path })
}
