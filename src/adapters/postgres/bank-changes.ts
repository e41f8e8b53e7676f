// What whoever holds the banks in memory asks the store: what is new since a change, and whether they hold what is there.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Bank } from '../../domain/bank.ts'
import type { BankCensus, BankChanges } from '../../rights/bank-ports.ts'
import { imageOf, INDEXED_COLUMNS } from './bank-rows.ts'
import type { ImageRow } from './bank-rows.ts'
import { inTransaction } from './transaction.ts'

/** Of one moment, so that the rows belong to the head that the answer names. */
export function readChanges(pool: Pool, since: bigint, limit: number): Promise<BankChanges> {
  return inTransaction(
    pool,
    async ({ db: tx }) => {
      const from = String(since)
      const { rows: heads } = await sql<{ change: string; bank_floor: string; last: string | null }>`
        select change, bank_floor,
               (select i.change from bank_image i where i.change > ${from}::bigint
                order by i.change offset ${limit - 1} limit 1) as last
        from reference_head`.execute(tx)
      const [found] = heads
      if (found === undefined) throw new Error('the store has no head')
      if (BigInt(found.change) <= since) return { done: { banks: [], images: [], ...placeOf(found, found.change) } }
      const change = found.last ?? found.change
      // Not only those up to there: a picture's bank may have been changed long after the picture was added.
      const { rows: banks } = await sql<{ body: Bank }>`
        select body from bank where change > ${from}::bigint order by change`.execute(tx)
      // Who begins holds nothing that could be removed.
      const { rows } = await sql<ImageRow & { forms: string[] }>`
        select ${INDEXED_COLUMNS} from bank_image i
        where i.change > ${from}::bigint and i.change <= ${change}::bigint and (i.state <> 'removed' or ${since > 0n})
        order by i.change`.execute(tx)
      return {
        done: {
          banks: banks.map(({ body }) => body),
          images: rows.map((row) =>
            row.state === 'removed' ? { imageId: row.image_id, removed: true } : { ...imageOf(row), forms: row.forms },
          ),
          ...placeOf(found, change),
        },
      }
    },
    'repeatable read, read only',
  )
}

const placeOf = (head: { change: string; bank_floor: string }, change: string) => ({
  change: BigInt(change),
  head: BigInt(head.change),
  floor: BigInt(head.bank_floor),
})

export function readCensus(pool: Pool): Promise<BankCensus> {
  return inTransaction(
    pool,
    async ({ db: tx }) => {
      const { rows } = await sql<{ change: string; images: number; sum: string }>`
        select h.change, x.images, x.sum from reference_head h, lateral (
          select count(*)::int as images, coalesce(sum(('x' || left(image_id::text, 8))::bit(32)::bigint), 0)::bigint as sum
          from bank_image where state = 'active' or state = 'quarantined' and quarantined_for is not null) x`.execute(
        tx,
      )
      const [row] = rows
      if (row === undefined) throw new Error('the store has no head')
      return { done: { change: BigInt(row.change), images: row.images, sum: BigInt(row.sum) } }
    },
    'repeatable read, read only',
  )
}
