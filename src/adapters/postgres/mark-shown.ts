// Marks, for who opens a case, the pictures that other sellers have on sale: before a word on it, not only behind it.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseDetails, Reader } from '../../review/ports.ts'
import { lookAhead, type LookTimes } from './look-ahead.ts'
import { shownInCase } from './of-case.ts'

/** In milliseconds: whoever opens a case waits for it, and what is not known by then stays so. */
const TIMES: LookTimes = { first: 200, each: 300, all: 500 }

type Pictures = CaseDetails['pictures']

const busy = new WeakMap<Pool, Promise<unknown>>()

/** One at a time of a pool, with what is left of its time: whoever opens cases in a loop must not take the turns of looks before verdicts. */
async function inTurn<T>(pool: Pool, ms: number, look: (ms: number) => Promise<T>): Promise<T> {
  const before = busy.get(pool) ?? Promise.resolve()
  const end = performance.now() + ms
  const over = new AbortController()
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  const turn = Promise.race([before, late]).then(() => look(Math.max(0, end - performance.now())))
  busy.set(pool, Promise.allSettled([before, turn]))
  try {
    return await turn
  } finally {
    over.abort()
  }
}

/** By the same look as before a verdict that names none: as far as it knows that in its time. It never fails. */
export async function markShown(
  pool: Pool,
  caseId: string,
  pictures: Pictures,
  { brandIds }: Reader,
  times = TIMES,
): Promise<Pictures> {
  if (pictures.length === 0) return pictures
  let isWhole = true
  const notKnown = () => {
    isWhole = false
  }
  const spoken = shownInCase(sql`c.case_id = ${caseId}`, { brandIds })
  const { elsewhere = [], lookedUp = [] } = await inTurn(pool, times.all, (all) =>
    lookAhead(pool, spoken, undefined, { times: { ...times, all }, notKnown }),
  )
  const shown = new Set(elsewhere.map(({ sha256 }) => sha256))
  // Of an animation frames may be missing where not all is known.
  const known = new Set(isWhole ? lookedUp.map(({ sha256 }) => sha256) : [])
  return pictures.map((one) => ({
    ...one,
    shownElsewhere: shown.has(one.sha256) ? true : known.has(one.sha256) ? false : null,
  }))
}
