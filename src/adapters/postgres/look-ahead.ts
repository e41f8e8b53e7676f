// What may join by a verdict is looked up before it, in small pieces and within a time: strangers choose how much there is.
import { performance } from 'node:perf_hooks'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseHashes, CaseLook, FrameOfListing, LookForOfficials } from '../../pipeline/verdicts/ports.ts'
import { inLots } from './in-lots.ts'
import type { PictureOfCase, SpokenOf } from './of-case.ts'
import { NOT_LOOKED } from './official-pictures.ts'
import { hasOthers, othersOf, stillOf } from './picture-frames.ts'
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

export interface LookOptions {
  readonly times?: LookTimes
  /** Told when of some listings not everything is known, of so many, with the last error. */
  readonly notKnown?: (listings: number, of: number, error: unknown) => void
}

/** A person waits for it no longer than 2 s, and a batch stays below the 15 s after which a statement of its own would be ended. */
const TIMES: LookTimes = { first: 200, each: 2_000, all: 10_000 }

/** So many frames: with 24 hashes each they take 60 ms of a busy server, and where they do not end in time that is all that is lost. */
const PIECE = 12

interface HashesOfFrame extends CaseHashes {
  readonly frame: number
  readonly hasOthers: boolean
}

interface Piece extends Pick<PictureOfCase, 'listingId' | 'caseId'> {
  readonly sha256s: readonly string[]
  /** The other frames of an animation; else the pictures themselves. */
  readonly others: boolean
  /** Since they were read. */
  rows?: readonly HashesOfFrame[]
  isCompared?: boolean
}

/** Of one listing, in order. */
interface Queue {
  readonly pieces: Piece[]
  /** What was not known in its time. */
  readonly hard: Piece[]
}

const TOO_LATE = new Error('the time for all of them was over')

/**
 * Which of these pictures are official ones and which others show, as far as it knows both within its time; of all others nothing
 * is known. It never fails, whatever happened to it: a verdict does not wait for it, and no batch is read again because
 * of it. Not a limit of rows instead: whoever floods would choose which witness is cut off. Outside of any transaction.
 *
 * Listings take turns, those with few pictures first, so that none takes the time of the others; in each the pictures
 * themselves come before the other frames of animations.
 */
export async function lookAhead(
  pool: Pool,
  spoken: readonly SpokenOf[],
  officials: LookForOfficials | undefined,
  { times = TIMES, notKnown }: LookOptions = {},
): Promise<CaseLook> {
  const listings = spoken.reduce((sum, one) => sum + one.listings, 0)
  const start = performance.now()
  const end = start + Math.min(times.all, listings * (times.first + times.each))
  const ask = <Row extends object>(statement: Statement<Row>, most: number): Promise<Row[]> => {
    const ms = Math.min(most, end - performance.now())
    return ms > 0 ? within(pool, ms, statement) : Promise.reject(TOO_LATE)
  }
  const official = {
    change: undefined as bigint | undefined,
    looked: [...NOT_LOOKED.looked],
    near: [...NOT_LOOKED.near],
  }
  const elsewhere: FrameOfListing[] = []
  const lookedUp: FrameOfListing[] = []

  /** Answers what is to be looked up because of it. */
  async function lookUp(piece: Piece, most: number): Promise<readonly Piece[]> {
    const { listingId, caseId } = piece
    if (piece.rows === undefined) {
      const rows = await ask(hashesOf(piece), most)
      if (piece.others) return inLots(rows, PIECE).map((lot) => ({ ...piece, rows: lot }))
      piece.rows = rows
    }
    if (piece.isCompared !== true && officials !== undefined) {
      const { change, looked, near } = await officials(piece.rows)
      official.change = official.change === undefined || change < official.change ? change : official.change
      official.looked.push(...looked)
      official.near.push(...near)
      piece.isCompared = true
    }
    const frames = piece.rows.map(({ sha256, frame, variants }) => ({
      listingId,
      caseId,
      sha256,
      frame,
      hashes: variants,
    }))
    for (const { isElsewhere, ...frame } of frames.length === 0 ? [] : await ask(shownElsewhere(frames), most)) {
      lookedUp.push(frame)
      if (isElsewhere) elsewhere.push(frame)
    }
    return piece.others
      ? []
      : piece.rows
          .filter((row) => row.hasOthers)
          .map((row) => ({ listingId, caseId, sha256s: [row.sha256], others: true }))
  }

  let last: unknown
  let unknown = 0
  const all: PictureOfCase[] = []
  for (const one of spoken)
    try {
      // To know what there is to look up takes no more than half of the time.
      all.push(...(await ask(one.pictures, Math.min(times.each, (start + end) / 2 - performance.now()))))
    } catch (error) {
      last = error
      unknown += one.listings
    }
  let queues = queuesOf(all)
  for (const most of [times.first, times.each]) {
    for (const { queue, piece } of turns(queues))
      try {
        const more = await lookUp(piece, most)
        if (piece.others) queue.pieces.unshift(...more)
        else queue.pieces.push(...more)
      } catch (error) {
        last = error
        queue.hard.push(piece)
      }
    queues = queues.filter(({ hard }) => hard.length > 0).map(({ hard }) => ({ pieces: hard, hard: [] }))
  }
  unknown += queues.length
  if (unknown > 0) notKnown?.(unknown, listings, last)
  return { ...NOT_LOOKED, ...official, change: official.change ?? NOT_LOOKED.change, elsewhere, lookedUp }
}

const hashesOf = ({ sha256s, others }: Piece): Statement<HashesOfFrame> => sql<HashesOfFrame>`
    select p.sha256, v.frame, v.hash, v.variants, ${hasOthers(sql`p`)} as "hasOthers"
    from picture p ${others ? othersOf(sql`p`) : stillOf(sql`p`)}
    where not p.blank and p.sha256 = any(${sha256s}::text[])`

/** One for each listing, those with few pictures first. */
function queuesOf(pictures: readonly PictureOfCase[]): Queue[] {
  const ofListings = [...Map.groupBy(pictures, ({ listingId }) => listingId)]
  return ofListings
    .toSorted(([, a], [, b]) => a.length - b.length)
    .map(([listingId, own]) => ({
      pieces: [...Map.groupBy(own, ({ caseId }) => caseId)].flatMap(([caseId, ofCase]) =>
        inLots(ofCase, PIECE).map((lot) => ({
          listingId,
          caseId,
          sha256s: lot.map(({ sha256 }) => sha256),
          others: false,
        })),
      ),
      hard: [],
    }))
}

function* turns(queues: readonly Queue[]): Generator<{ readonly queue: Queue; readonly piece: Piece }> {
  for (let open = queues; open.length > 0; open = open.filter(({ pieces }) => pieces.length > 0))
    for (const queue of open) {
      const piece = queue.pieces.shift()
      if (piece !== undefined) yield { queue, piece }
    }
}
