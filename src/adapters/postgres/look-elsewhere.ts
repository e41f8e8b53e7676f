// What other sellers show on sale is looked up within a time of its own: strangers choose how much there is to compare.
import { performance } from 'node:perf_hooks'
import type { Pool } from 'pg'
import type { CaseLook } from '../../pipeline/verdicts/ports.ts'
import { shownElsewhere } from './shown-pictures.ts'
import type { Statement } from './statement.ts'
import { within } from './within.ts'

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
 * One of 12 pictures takes 60 ms of a busy server, one of 100 pictures 0.6 s; a person waits for it no longer than 2 s, and a
 * batch stays below the 15 s after which a statement of its own would be ended.
 */
const TIMES: LookTimes = { first: 200, each: 2_000, all: 10_000 }

/** In milliseconds, for so many pieces together. */
export const timeFor = (pieces: number, { first, each, all }: LookTimes = TIMES): number =>
  Math.min(all, pieces * (first + each))

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
  const end = performance.now() + timeFor(pieces.length, times)
  const found: Found[] = []
  let left = pieces
  let last: unknown
  for (const each of [times.first, times.each]) {
    const open: Statement[] = []
    for (const piece of left) {
      const ms = Math.min(each, end - performance.now())
      try {
        if (ms <= 0) throw new Error('the time for all of them was over')
        found.push(...(await within(pool, ms, shownElsewhere(piece))))
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
