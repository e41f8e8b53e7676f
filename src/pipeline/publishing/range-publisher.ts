// Publishes one range of the outbox to a log that is not the store: leased for liveness, fenced for safety, in order and once.
import { ERRORS, messageOf, TouchstoneError } from '../../errors.ts'
import type { Telemetry } from '../../telemetry.ts'
import type { Publisher } from '../ports.ts'
import type { FencedLog, FencedWriter, Mark, Move, OutboxRecord, Place, RangeOutbox } from './ports.ts'
import { continueFrom, nameOf } from './take-over.ts'

export interface RangePublisherOptions {
  readonly outbox: RangeOutbox
  readonly log: FencedLog
  readonly range: string
  /** The places of this range and of no other. */
  readonly places: readonly Place[]
  readonly telemetry: Telemetry
  /** Rows of one write at most. */
  readonly rows?: number
  /** Milliseconds of a clock that never goes back. */
  readonly clock?: () => number
}

/** A write costs the brokers, the store and us the same for one row as for a hundred: ranges that never rest fill two cores. */
const GATHER_MS = 50
// A write costs about 10 ms whatever is in it; more than this in one only makes it late.
const ROWS = 2_000
/** While another process has the lease: soon enough after its end, and cheap for those who only wait. */
const ASK_MS = 200
/** A lease is renewed at half of its 2.4 s, so this is in time for the other half. */
const ASK_AGAIN_MS = 600
/** From when it last got on; with the lease behind it less than a fence or a write that fails takes (15 and 12 s). */
const KEEP_MS = 8_000
/** Who failed twice in a row gives the lease up for this long: several questions of those who may reach what it does not. */
const STEP_BACK_MS = 1_000
/** A range that was refused waits for a person: often enough to go on soon after the cure. */
const REFUSED_MS = 15_000

/**
 * What readers of committed records get: every row exactly once and in order per place, whatever dies where. Why:
 * - Fencing comes before looking. Once `fence` resolved no earlier writer can make anything visible, so what `lastPublished`
 *   then says is final, and a row is sent only when the log does not have it.
 * - The store's tail alone is never trusted after a take-over: whoever wrote may have died before the mark.
 * - A failure of any kind, also an unknown outcome, has one recovery: discard the writer and the lease's validity, and begin
 *   anew: lease, fence, look at the end, go on.
 *
 * The lease only keeps processes from fencing each other all the time; one that lost it without noticing does no harm.
 * What breaks it: a log that loses what it acknowledged (at least once for those, see `continueFrom`) and readers of
 * uncommitted records.
 */
export function createRangePublisher({
  outbox,
  log,
  range,
  places,
  telemetry,
  rows: limit = ROWS,
  clock = () => performance.now(),
}: RangePublisherOptions): Publisher {
  const { metrics } = telemetry
  const logger = telemetry.log.child({ range })
  let epoch: bigint | undefined
  let validUntil = -Infinity
  let renewAt = -Infinity
  let askAt = -Infinity
  let writer: FencedWriter | undefined
  let tails: (Place & { readonly position: bigint })[] = []
  let refused: TouchstoneError | undefined
  let told: string | undefined
  const lossesTold = new Set<string>()
  /** In a row, without a write that got through. */
  let failures = 0
  let steppedBack: Error | undefined
  /** Of one write: halved where one failed, so that what is too much for slow brokers in the time they have gets through. */
  let most = limit

  /** Never rejects. Whatever comes next begins with the lease. */
  async function discard(): Promise<void> {
    validUntil = renewAt = -Infinity
    const old = writer
    writer = undefined
    await old?.close()
  }

  async function leased(): Promise<boolean> {
    const now = clock()
    if (now < renewAt) return true
    const lease = await outbox.lease(range)
    if (lease === undefined) {
      await discard()
      epoch = undefined
      // Spread, so that those who wait do not all ask at once.
      askAt = clock() + ASK_MS * (1 + Math.random())
      return false
    }
    // One more: it had run out, and nobody else had it meanwhile. Then nobody has fenced our writer either.
    if (epoch === undefined || lease.epoch > epoch + 1n) await discard()
    epoch = lease.epoch
    keepFrom(now, lease.validMs)
    return true
  }

  function keepFrom(now: number, validMs: number): void {
    validUntil = now + validMs
    renewAt = now + validMs / 2
  }

  /**
   * What takes longer than a lease keeps it meanwhile: another owner would fence it, begin anew, and be fenced in turn. Not
   * for ever: who reaches the store and not the brokers must not keep it from those who reach both. `work` says when it
   * got on: a look behind what strangers wrote takes as long as it takes.
   */
  async function whileHeld<T>(work: (progressed: () => void) => Promise<T>): Promise<T> {
    let until = clock() + KEEP_MS
    let over = false
    let asking = Promise.resolve()
    let timer: NodeJS.Timeout | undefined
    const ask = async (): Promise<void> => {
      const now = clock()
      const lease = await outbox.lease(range).catch(() => undefined)
      if (lease !== undefined && lease.epoch === epoch) keepFrom(now, lease.validMs)
      later()
    }
    const later = (): void => {
      if (!over && clock() < until) timer = setTimeout(() => void (asking = ask()), ASK_AGAIN_MS)
    }
    later()
    try {
      return await work(() => {
        until = clock() + KEEP_MS
      })
    } finally {
      over = true
      clearTimeout(timer)
      await asking
    }
  }

  async function takeOver(progressed: () => void): Promise<void> {
    // A store that was refused looks before it fences: the rightful owner of the topics must not be disturbed for ever.
    if (refused !== undefined) await standing(progressed)
    const fenced = await log.fence(range)
    progressed()
    metrics.touchstone_publisher_takeovers_total.inc()
    try {
      const { marks, moves, lost } = await standing(progressed)
      if (moves.length > 0 && !(await outbox.mark(moves))) throw new Error('the tails moved during the take-over')
      for (const { from, to, gone, ...place } of lost) {
        // Where nothing is left to send again no tail moves, and the next take-over finds the same.
        const loss = `${nameOf(place)} ${from}-${to} ${gone}`
        if (lossesTold.has(loss)) continue
        lossesTold.add(loss)
        const figures = { place: nameOf(place), logEnd: String(from), storeTail: String(to), gone: String(gone) }
        logger.error(figures, 'the log lost what it had acknowledged: what the store keeps of it is published again')
        metrics.touchstone_publisher_lost_total.inc({ end: 'sent-again' }, Number(to - from - gone))
        metrics.touchstone_publisher_lost_total.inc({ end: 'gone' }, Number(gone))
      }
      const moved = new Map(moves.map((move) => [nameOf(move), move.to]))
      tails = marks.map((mark) => ({
        topic: mark.topic,
        partition: mark.partition,
        position: moved.get(nameOf(mark)) ?? mark.tail,
      }))
      writer = fenced
      if (refused !== undefined) logger.info('the store and the topics fit together again')
      refused = undefined
      logger.info({ tails: tails.length, ahead: moves.length - lost.length }, 'publishing is taken over')
    } catch (error) {
      await fenced.close()
      throw error
    }
  }

  /** What log and store say, compared. Throws what refuses this store. */
  async function standing(
    progressed: () => void,
  ): Promise<{ marks: readonly Mark[] } & ReturnType<typeof continueFrom>> {
    // Tails from before and heads from after the look: another process that publishes meanwhile is then neither taken for
    // a log that lost something nor for a store that is too old. A tail that moved fails the compare-and-set.
    const before = await outbox.marks(places)
    const published = await log.lastPublished(places, progressed)
    const heads = new Map((await outbox.marks(places)).map((mark) => [nameOf(mark), mark.head]))
    const marks = before.map((mark) => ({ ...mark, head: heads.get(nameOf(mark)) ?? mark.head }))
    const tailOf = new Map(marks.map((mark) => [nameOf(mark), mark]))
    const rowAt = new Map<string, OutboxRecord>()
    for (const end of published) {
      const mark = tailOf.get(nameOf(end))
      if (mark === undefined || end.position <= mark.tail || end.position <= mark.floor || end.position > mark.head)
        continue
      const [row] = await outbox.after([{ ...end, position: end.position - 1n }], 1)
      if (row !== undefined) rowAt.set(nameOf(end), row)
    }
    return { marks, ...continueFrom(outbox.storeId, marks, published, rowAt) }
  }

  async function round(): Promise<number> {
    if (!(await leased())) return 0
    if (writer === undefined) await whileHeld(takeOver)
    // It may have taken longer than the lease; the writer is kept where nobody else had it.
    const current = (await leased()) ? writer : undefined
    if (current === undefined) {
      metrics.touchstone_publisher_errors_total.inc({ code: 'lease-lost' })
      logger.warn('the lease was lost before anything could be published')
      return 0
    }
    const rows = await outbox.after(tails, most)
    if (rows.length === 0) return 0
    const moves = movesOf(rows, tails)
    // Reading may have taken long: whoever has the lease by now must not be fenced for nothing.
    if (clock() >= validUntil) {
      renewAt = -Infinity
      return 0
    }
    await whileHeld(() => current.write(rows, outbox.storeId)).catch((error: unknown) => {
      // What no topic takes is not taken in small pieces either.
      if (!(error instanceof TouchstoneError) || error.code !== 'topics-wrong') most = Math.max(1, rows.length >> 1)
      throw error
    })
    most = Math.min(limit, 2 * most)
    told = undefined
    failures = 0
    if (!(await outbox.mark(moves))) throw new Error('the tails were moved by another process')
    const moved = new Map(moves.map((move) => [nameOf(move), move.to]))
    tails = tails.map((tail) => ({ ...tail, position: moved.get(nameOf(tail)) ?? tail.position }))
    return rows.length
  }

  return {
    gatherMs: GATHER_MS,
    async publish() {
      if (places.length === 0) return 0
      if (clock() < askAt) {
        if (refused !== undefined) throw refused
        if (steppedBack !== undefined) throw steppedBack
        return 0
      }
      steppedBack = undefined
      try {
        return await round()
      } catch (error) {
        await discard()
        const code = error instanceof TouchstoneError ? error.code : 'internal'
        metrics.touchstone_publisher_errors_total.inc({ code })
        if (code === 'topics-wrong' && told !== messageOf(error)) {
          told = messageOf(error)
          logger.error(
            { code, err: told, remedy: ERRORS[code].remedy },
            'this range is not published until that is mended',
          )
        }
        if (error instanceof TouchstoneError && REFUSALS.has(error.code)) {
          if (refused?.message !== error.message) {
            logger.error(
              { code: error.code, err: messageOf(error), remedy: ERRORS[error.code].remedy },
              'this range is not published until that is mended',
            )
          }
          refused = error
          askAt = clock() + REFUSED_MS
        } else if ((failures += 1) > 1) {
          await outbox.release(range).catch(() => undefined)
          epoch = undefined
          askAt = clock() + STEP_BACK_MS
          steppedBack = error instanceof Error ? error : new Error(messageOf(error))
        }
        throw error
      }
    },
    // Of all ranges: what is asked of one process is what waits, whoever publishes it.
    backlog: () => outbox.backlog(),
    async release() {
      await discard()
      epoch = undefined
      await outbox.release(range)
    },
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['store-foreign', 'store-behind-log'])

/** How far the rows take each tail. Throws when they do not follow it without a hole. */
function movesOf(rows: readonly OutboxRecord[], tails: readonly (Place & { readonly position: bigint })[]): Move[] {
  const from = new Map(tails.map((tail) => [nameOf(tail), tail.position]))
  const to = new Map(from)
  for (const row of rows) {
    const name = nameOf(row)
    const before = to.get(name)
    if (before === undefined || row.position !== before + 1n)
      throw new Error(`the outbox has a hole: ${name} goes from position ${before} to ${row.position}`)
    to.set(name, row.position)
  }
  return tails.flatMap(({ topic, partition, position }) => {
    const end = to.get(nameOf({ topic, partition })) ?? position
    return end === position ? [] : [{ topic, partition, from: position, to: end }]
  })
}
