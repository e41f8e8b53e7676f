// One training at a time in a store, whichever process runs it; the latest one is on record for all of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Client, Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import type { Trainings, TrainingState } from '../../learning/ports.ts'
import { queries, type Database } from './connect.ts'

/** Two numbers, which other programs in the same database are unlikely to lock as well. */
const LOCK = [704_602, 1] as const
/** Whoever has said how its training ended lets go within this time: it has nothing else to do. */
const LETTING_GO = { times: 50, pauseMs: 20 }

/**
 * The turn is a lock of a connection that does nothing else, so it ends with its process, killed or not, and is held while
 * that computes for minutes. A machine that is gone without a word is found out in half a minute.
 */
export function createTrainings({ reading: pool, listener }: Pick<Database, 'reading' | 'listener'>): Trainings {
  const db = queries(pool)
  return {
    async begin(state) {
      const client = listener()
      // Without its connection the turn is over; nobody is told, because the same versions may be made twice.
      client.on('error', () => undefined)
      const letGo = () => void client.end().catch(() => undefined)
      try {
        await client.connect()
        await client.query(UNHURRIED)
        await take(client, pool)
        await sql`
          insert into training (training_id, state) values (${state.trainingId}, ${JSON.stringify(state)})
          on conflict (one) do update set training_id = excluded.training_id, state = excluded.state`.execute(db)
      } catch (error) {
        letGo()
        throw error
      }
      return {
        async end(how) {
          try {
            await sql`update training set state = ${JSON.stringify(how)} where training_id = ${how.trainingId}`.execute(
              db,
            )
          } finally {
            letGo()
          }
        },
      }
    },

    async last() {
      const found = await look(pool)
      if (found === undefined || !isGone(found)) return found?.state ?? null
      // It may have ended between reading its row and looking who has the turn.
      const again = (await look(pool)) ?? found
      if (!isGone(again)) return again.state
      const problem = { code: 'internal', message: 'the process that trained ended before the training did' }
      return { ...again.state, state: 'failed', problem }
    },
  }
}

interface Found {
  readonly state: TrainingState
  /** Somebody has the turn. */
  readonly held: boolean
}

const isGone = ({ state, held }: Found): boolean => state.state === 'running' && !held

async function look(pool: Pool): Promise<Found | undefined> {
  const { rows } = await sql<Found>`
    select t.state, exists (
      select from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory' and l.granted
        and l.classid = ${LOCK[0]} and l.objid = ${LOCK[1]} and l.objsubid = 2) as held
    from training t`.execute(queries(pool))
  return rows[0]
}

async function take(client: Client, pool: Pool): Promise<void> {
  for (let left = LETTING_GO.times; ; left -= 1) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [...LOCK])
    if (rows[0]?.taken === true) return
    const state = (await look(pool))?.state
    if (state?.state === 'running')
      throw new TouchstoneError('training-running', `${state.by} started one at ${state.startedAt}`)
    if (left === 0) throw new TouchstoneError('training-running', 'another process begins one')
    await sleep(LETTING_GO.pauseMs)
  }
}

/** Of this connection alone; a server that lacks one of them goes without. */
const UNHURRIED = `
  select set_config(wanted.name, wanted.value, false)
  from (values ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),
    ('tcp_keepalives_count', '4')) wanted (name, value)
  where exists (select from pg_settings known where known.name = wanted.name)`
