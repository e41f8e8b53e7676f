// A statement that must answer within a time, whatever it meets: on few connections of its pool, and waited for no longer.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { nameOf } from './prepared.ts'
import { inOneRoundTrip } from './round-trip.ts'
import { compiled } from './statement.ts'
import type { Answers, Statement } from './statement.ts'

/** Of the connections of a pool: strangers choose how long such a statement takes, and who else uses the pool needs the rest. */
const AT_ONCE = 2

/** A server that does not end its statement by itself is not waited for. */
const SLACK_MS = 500

/** What the server says to a statement that it ended itself. */
const TOO_LATE = '57014'

/** Rows are looked up by their keys however few there are yet, and nothing is compiled for what takes milliseconds. */
const PLANS = { enable_seqscan: 'off', random_page_cost: '1.1', jit: 'off' }

/**
 * The rows; throws `database-unavailable`, or what the server says (57014), when they are not there `ms` after the call,
 * waiting for a connection included. What is sent in one
 * round trip is one transaction, without a begin: what is set for the statement ends with it.
 */
export async function within<Row extends QueryResultRow>(
  pool: Pool,
  ms: number,
  statement: Statement<Row>,
): Promise<Row[]> {
  const end = performance.now() + ms
  const over = new AbortController()
  const inTime = late(ms, over.signal)
  try {
    const release = await slotOf(pool, inTime)
    try {
      const client = await connected(pool, inTime)
      return await answered(client, Math.max(1, Math.ceil(end - performance.now())), statement)
    } finally {
      release()
    }
  } finally {
    over.abort()
  }
}

async function answered<Row extends QueryResultRow>(
  client: PoolClient,
  ms: number,
  statement: Statement<Row>,
): Promise<Row[]> {
  const over = new AbortController()
  let isClean = false
  try {
    const settings = { ...PLANS, statement_timeout: String(ms) }
    const sent = [
      sql`select set_config(x.name, x.value, true)
          from unnest(${Object.keys(settings)}::text[], ${Object.values(settings)}::text[]) x (name, value)`,
      statement,
    ] as const
    const answers = inOneRoundTrip(
      client,
      sent.map((one) => compiled(one, nameOf)),
      (at) => (isClean = at === sent.length - 1),
    )
    const [, { rows }] = (await Promise.race([answers, late(ms + SLACK_MS, over.signal)])) as Answers<typeof sent>
    client.release()
    return rows
  } catch (error) {
    // Ended by the server in its time it leaves nothing behind, neither a setting nor a name of what was skipped; a batch
    // would else open a connection for each piece that is not known.
    client.release(!(isClean && error instanceof pg.DatabaseError && error.code === TOO_LATE))
    throw error
  } finally {
    over.abort()
  }
}

/** One that comes too late goes back unused. */
async function connected(pool: Pool, inTime: Promise<never>): Promise<PoolClient> {
  const coming = pool.connect()
  try {
    return await Promise.race([coming, inTime])
  } catch (error) {
    void coming.then(
      (client) => client.release(),
      () => undefined,
    )
    throw error
  }
}

const taken = new WeakMap<Pool, { free: number; readonly waiting: Set<() => void> }>()

/** The way to give it back; they go round in the order of asking. */
async function slotOf(pool: Pool, inTime: Promise<never>): Promise<() => void> {
  const slots = taken.get(pool) ?? { free: AT_ONCE, waiting: new Set() }
  taken.set(pool, slots)
  const release = () => {
    const [next] = slots.waiting
    if (next === undefined) slots.free += 1
    else {
      slots.waiting.delete(next)
      next()
    }
  }
  if (slots.free > 0) {
    slots.free -= 1
    return release
  }
  const turn = Promise.withResolvers<undefined>()
  const go = () => turn.resolve(undefined)
  slots.waiting.add(go)
  try {
    await Promise.race([turn.promise, inTime])
  } catch (error) {
    // Given in the same instant it goes on to the next.
    if (!slots.waiting.delete(go)) release()
    throw error
  }
  return release
}

function late(ms: number, signal: AbortSignal): Promise<never> {
  const over = sleep(ms, undefined, { signal }).then(() => {
    throw new TouchstoneError('database-unavailable', 'The database did not answer in time')
  })
  // Where it is not raced with any more nobody hears it.
  over.catch(() => undefined)
  return over
}
