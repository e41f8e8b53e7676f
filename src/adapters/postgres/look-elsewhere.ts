// What other sellers show on sale is looked up within a time of its own: strangers choose how much there is to compare.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseLook } from '../../pipeline/verdicts/ports.ts'
import { namesOf } from './prepared.ts'
import { inOneRoundTrip } from './round-trip.ts'
import { shownElsewhere } from './shown-pictures.ts'
import { compiled } from './statement.ts'
import type { Answers, Statement } from './statement.ts'

/** In milliseconds. */
export interface LookTimes {
  /** For each piece in the first round: what is hard to look up takes little from the rest of its batch. */
  readonly first: number
  /** For each piece that the first round did not know, while there is time. */
  readonly each: number
  /** For all pieces together. */
  readonly all: number
}

export interface LookElsewhere {
  readonly times?: LookTimes
  /** Told when some pieces are not known, of so many, with the last error. */
  readonly notKnown?: (pieces: number, of: number, error: unknown) => void
}

/**
 * 500 verdicts of 12 pictures, where listings show 100,000, take 6 s on two busy cores (13 ms each); a person waits for one
 * no longer than 2 s, and a batch stays below the 15 s after which a statement of its own would be ended.
 */
const TIMES: LookTimes = { first: 100, each: 2_000, all: 10_000 }

/** A server that does not end its statement by itself is not waited for. */
const SLACK_MS = 500

/**
 * Of the pictures of which it answers within its time it says which are shown elsewhere; of all others nothing is known. It
 * never fails, whatever happened to it: a verdict does not wait for it, and no batch is read again because of it. Not a
 * limit of rows instead: whoever floods would choose which witness is cut off. Outside of any transaction.
 */
export async function lookElsewhere(
  pool: Pool,
  pieces: readonly Statement[],
  { times = TIMES, notKnown }: LookElsewhere,
): Promise<Required<Pick<CaseLook, 'elsewhere' | 'lookedUp'>>> {
  const end = performance.now() + times.all
  const found: Found[] = []
  let left = pieces
  let last: unknown
  for (const each of [times.first, times.each]) {
    const open: Statement[] = []
    for (const piece of left) {
      const ms = Math.min(each, end - performance.now())
      try {
        if (ms <= 0) throw new Error('the time for all of them was over')
        found.push(...(await within(pool, Math.ceil(ms), shownElsewhere(piece))))
      } catch (error) {
        last = error
        open.push(piece)
      }
    }
    left = open
  }
  if (left.length > 0) notKnown?.(left.length, pieces.length, last)
  const lookedUp = found.map(({ listing_id: listingId, sha256, frame }) => ({ listingId, sha256, frame }))
  return { lookedUp, elsewhere: lookedUp.filter((_, i) => found[i]?.is_elsewhere === true) }
}

type Found = ReturnType<typeof shownElsewhere> extends Statement<infer Row> ? Row : never

/** What is sent in one round trip is one transaction, without a begin: the time-out ends with it. */
async function within(pool: Pool, ms: number, statement: Statement<Found>): Promise<Found[]> {
  const client = await pool.connect()
  const stop = new AbortController()
  try {
    const sent = [sql`select set_config('statement_timeout', ${String(ms)}, true)`, statement] as const
    const answers = inOneRoundTrip(
      client,
      sent.map((one) => compiled(one, namesOf(pool))),
    )
    const [, { rows }] = (await Promise.race([answers, late(ms + SLACK_MS, stop.signal)])) as Answers<typeof sent>
    client.release()
    return rows
  } catch (error) {
    client.release(true)
    throw error
  } finally {
    stop.abort()
  }
}

async function late(ms: number, signal: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal })
  throw new Error('the server did not end it in time')
}
