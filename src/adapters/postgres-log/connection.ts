// Connections of the log to PostgreSQL, and which failures are the world's (wait and try again) and which are ours.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { messageOf, TouchstoneError } from '../../errors.ts'

export interface Pools {
  /** Appends: few, because appends to one topic go one after the other anyway. */
  readonly append: pg.Pool
  readonly read: pg.Pool
  /** Leases have a connection to themselves: behind a slow read they would end. */
  readonly lease: pg.Pool
  /** Held open for LISTEN, and for sending hints. */
  readonly hint: pg.Pool
  /** Asks how things stand, so that the answer is late only when the server is, and soon given up. */
  readonly watch: pg.Pool
  end(): Promise<void>
}

// A server that does not answer is not waited for longer than this when the log closes.
const FAREWELL_MS = 3_000

export function openPools(url: string, leaseMs: number, onError: (error: Error) => void): Pools {
  const open = (name: string, max: number, timeout: number): pg.Pool => {
    // In the session and not at start-up: a pooler in between refuses start-up parameters that it does not know.
    // The types say that nothing is returned, but the pool waits for what is.
    const awaited = {
      onConnect: async (client: pg.ClientBase): Promise<void> => {
        await client.query(`set statement_timeout = ${timeout}`)
      },
    }
    const pool = new pg.Pool({
      connectionString: url,
      application_name: `touchstone-log-${name}`,
      max,
      keepAlive: true,
      connectionTimeoutMillis: Math.min(timeout, 5_000),
      // A server that went away without a word must not hold a caller for the minutes that TCP would wait.
      query_timeout: timeout,
      idleTimeoutMillis: 30_000,
      ...awaited,
    })
    // A connection that breaks, idle or held, is replaced at the next use; without listeners it would end the process.
    pool.on('connect', (client) => client.on('error', onError))
    pool.on('error', onError)
    return pool
  }
  const pools = [
    open('append', 4, 30_000),
    open('read', 4, 10_000),
    open('lease', 2, leaseMs),
    open('hint', 2, 10_000),
    // Whoever asks for readiness or metrics is told within this time that there was no answer.
    open('watch', 1, 2_000),
  ] as const
  const [append, read, lease, hint, watch] = pools
  let ended: Promise<void> | undefined
  return {
    append,
    read,
    lease,
    hint,
    watch,
    end: () =>
      (ended ??= Promise.race([
        Promise.all(pools.map(async (pool) => pool.end())),
        sleep(FAREWELL_MS, undefined, { ref: false }),
      ]).then(() => undefined)),
  }
}

// Classes 08 (connection), 53 (resources), 57P (shutdown, crash, starting up), 57014 (time-out), 40 (serialisation,
// deadlock), 55P03 (lock time-out), 25P03 and 25P04 (idle or long transaction ended by the server).
const TRANSIENT_STATE = /^(08|53|57P|40)|^(57014|55P03|25P03|25P04)$/
const TRANSIENT_SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNABORTED',
])
// What pg and pg-pool say themselves; they have no codes.
const TRANSIENT_TEXT =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|connection timeout/i

/** Whether the same request may succeed later without anybody mending anything. */
export function isTransient(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return TRANSIENT_STATE.test(error.code ?? '')
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isTransient)
  if (error instanceof TouchstoneError) return error.code === 'database-unavailable'
  if (!(error instanceof Error)) return false
  if ('code' in error && typeof error.code === 'string' && TRANSIENT_SYSTEM.has(error.code)) return true
  return TRANSIENT_TEXT.test(error.message)
}

/** Says `database-unavailable` for a failure that is the world's; others stay what they are. */
export function explained(error: unknown): unknown {
  if (error instanceof TouchstoneError || !isTransient(error)) return error
  return new TouchstoneError('database-unavailable', `The log cannot be reached: ${messageOf(error)}`, { cause: error })
}

/** Pauses from 0.1 s that double up to 5 s, each shortened at random by up to half so that many processes do not return at once. */
export function createPauses(): { wait(signal: AbortSignal): Promise<void>; reset(): void } {
  let next = 100
  return {
    async wait(signal) {
      const pause = next * (0.5 + Math.random() / 2)
      next = Math.min(next * 2, 5_000)
      await rest(pause, signal)
    },
    reset() {
      next = 100
    },
  }
}

/** Sleeps, or less when aborted; never rejects. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // Aborted: the caller looks at the signal.
  }
}
