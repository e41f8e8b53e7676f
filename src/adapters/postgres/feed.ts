// Every decision and refusal in order per listing, resumable at any entry: read from the outbox, whose positions have no holes.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { lastHeader } from '../../events/header.ts'
import type { FeedEntry } from '../../pipeline/ports.ts'
import { decodeHeaders } from './bytes.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { Places } from './cursor.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

export interface FeedPage {
  entries: FeedEntry[]
  next: string
}

/** Rows looked at per partition and round by a reader who may see only one marketplace; bounds the cost of a round. */
const WINDOW = 2_000
/** Rounds per call: such a reader passes up to 40,000 rows of others per partition and call, then gets an empty page and a cursor further on. */
const ROUNDS = 20

/**
 * Nothing is passed over: a position is taken under a lock that is held until the commit, so whoever sees one sees all
 * below it. All reads of a page are of one state of the database.
 */
export async function readFeed(
  pool: Pool,
  topic: string,
  after: string | undefined,
  limit: number,
  marketplace: string | undefined,
): Promise<FeedPage> {
  const asked = after === undefined ? undefined : decodeCursor(after)
  return await inTransaction<FeedPage>(
    pool,
    async ({ db }) => {
      const bounds = await readBounds(db, topic)
      const start = startAt(asked, bounds)
      let places = start
      for (let round = 0; round < ROUNDS && places.some((place, part) => place < (bounds[part]?.head ?? 0n)); round++) {
        const found = await choose(db, topic, places, Math.max(1, limit), marketplace)
        if (found.chosen.length > 0) {
          const read = await entriesAt(db, topic, places, found.chosen)
          // A page that is not full shows all that was looked at: what belongs to others need not be looked at again.
          return {
            done: {
              entries: read.entries,
              next: encodeCursor(found.chosen.length < limit ? found.reached : read.places),
            },
          }
        }
        places = found.reached
      }
      return { done: { entries: [], next: encodeCursor(places) } }
    },
    'repeatable read, read only',
  )
}

interface Bounds {
  /** The last position that was removed. */
  readonly floor: bigint
  /** The last position that was given. */
  readonly head: bigint
}

async function readBounds(db: Kysely<Tables>, topic: string): Promise<Bounds[]> {
  const { rows } = await sql<{ part: number; floor: string; head: string }>`
    select h.part, f.pos as floor, h.pos as head from outbox_head h join outbox_floor f using (topic, part)
    where h.topic = ${topic} order by h.part`.execute(db)
  return rows.map((row, part) => {
    if (row.part !== part)
      throw new Error(`partition ${part} of ${topic} has no counters: prepareOutputs was not called`)
    return { floor: BigInt(row.floor), head: BigInt(row.head) }
  })
}

/** The newest positions: written by whoever adds entries, in the same transaction. */
export async function readFeedMark(db: Kysely<Tables>, topic: string): Promise<string> {
  const heads = await db
    .selectFrom('outbox_head')
    .select(['part', 'pos'])
    .where('topic', '=', topic)
    .orderBy('part')
    .execute()
  return heads.map((head) => `${head.part}:${head.pos}`).join(' ')
}

function startAt(asked: Places | undefined, bounds: readonly Bounds[]): Places {
  if (asked === undefined) return bounds.map((bound) => bound.floor)
  if (asked.length > bounds.length)
    throw new TouchstoneError('bad-cursor', 'The cursor names partitions that do not exist')
  return bounds.map((bound, part) => {
    // Partitions that were added since begin at 0.
    const place = asked[part] ?? 0n
    if (place > bound.head) throw new TouchstoneError('bad-cursor', 'The cursor lies beyond the end of the feed')
    if (place < bound.floor)
      throw new TouchstoneError('cursor-expired', 'The entries after the cursor are no longer kept')
    return place
  })
}

interface Chosen {
  readonly chosen: readonly { readonly part: number; readonly pos: bigint }[]
  /** How far each partition was looked at. */
  readonly reached: Places
}

/**
 * The next entries by time over all partitions. Positions have no holes, so a window of them is a bound on the rows that
 * any plan reads. Time never falls within a partition, so this is the order of positions too.
 */
async function choose(
  db: Kysely<Tables>,
  topic: string,
  places: Places,
  limit: number,
  marketplace: string | undefined,
): Promise<Chosen> {
  const window = marketplace === undefined ? limit : Math.max(WINDOW, limit)
  const { rows } = await sql<{ kind: 'entry' | 'reached'; part: number; pos: string }>`
    with seen as materialized (
      select o.part, o.pos, o.at, ${visibleTo(marketplace)} as visible
      from unnest(${places.map((_, part) => part)}::int[], ${places.map(String)}::bigint[]) x (part, pos)
      cross join lateral (
        select part, pos, at, marketplace from outbox
        where topic = ${topic} and part = x.part and pos > x.pos and pos <= x.pos + ${window}) o
    ), chosen as (
      select part, pos, at from seen where visible order by at, part, pos limit ${limit}
    )
    select 'entry' as kind, part, pos, row_number() over (order by at, part, pos) as n from chosen
    union all
    select 'reached', part, max(pos), 0 from seen group by part
    order by n`.execute(db)
  const reached = [...places]
  for (const row of rows) if (row.kind === 'reached') reached[row.part] = BigInt(row.pos)
  const chosen = rows.filter((row) => row.kind === 'entry').map((row) => ({ part: row.part, pos: BigInt(row.pos) }))
  return { chosen, reached }
}

/** The entries themselves, each with the cursor that resumes after it. */
async function entriesAt(
  db: Kysely<Tables>,
  topic: string,
  from: Places,
  chosen: Chosen['chosen'],
): Promise<{ entries: FeedEntry[]; places: Places }> {
  const { rows } = await sql<{ value: Buffer | null; headers: Buffer }>`
    select o.value, o.headers
    from unnest(${chosen.map((one) => one.part)}::int[], ${chosen.map((one) => String(one.pos))}::bigint[]) with ordinality x (part, pos, n)
    cross join lateral (select value, headers from outbox where topic = ${topic} and part = x.part and pos = x.pos limit 1) o
    order by x.n`.execute(db)
  const places = [...from]
  const entries = rows.map((row, i): FeedEntry => {
    const one = chosen[i]
    if (one !== undefined) places[one.part] = one.pos
    const type = lastHeader(decodeHeaders(row.headers), 'ce_type')
    return {
      cursor: encodeCursor(places),
      type: type === undefined ? '' : Buffer.from(type).toString('utf8'),
      data: row.value === null ? null : (JSON.parse(row.value.toString('utf8')) as unknown),
    }
  })
  return { entries, places }
}

/** The newest entries, oldest of them first, and the end of the feed as the cursor after them. */
export function readRecent(
  pool: Pool,
  topic: string,
  limit: number,
  marketplace: string | undefined,
): Promise<FeedPage> {
  return inTransaction<FeedPage>(
    pool,
    async ({ db }) => {
      const heads = (await readBounds(db, topic)).map((bound) => bound.head)
      const window = marketplace === undefined ? limit : Math.max(WINDOW, limit)
      const { rows } = await sql<{ part: number; pos: string }>`
        select part, pos from (
          select o.part, o.pos, o.at
          from unnest(${heads.map((_, part) => part)}::int[], ${heads.map(String)}::bigint[]) x (part, head)
          cross join lateral (
            select part, pos, at, marketplace from outbox
            where topic = ${topic} and part = x.part and pos > x.head - ${window} and pos <= x.head) o
          where ${visibleTo(marketplace)} order by o.at desc, o.part desc, o.pos desc limit ${limit}) newest
        order by at, part, pos`.execute(db)
      const chosen = rows.map((row) => ({ part: row.part, pos: BigInt(row.pos) }))
      // Where nothing of a partition is shown, all of it is passed.
      const start = heads.map((head, part) => {
        const first = chosen.find((one) => one.part === part)
        return first === undefined ? head : first.pos - 1n
      })
      const { entries } = await entriesAt(db, topic, start, chosen)
      return { done: { entries, next: encodeCursor(heads) } }
    },
    'repeatable read, read only',
  )
}

const visibleTo = (marketplace: string | undefined) =>
  marketplace === undefined ? sql`true` : sql`o.marketplace = ${marketplace}`
