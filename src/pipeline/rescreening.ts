// What was decided while a signal could not look, or by a picture that has left its bank, is tried again, less and less often, and decided anew.
import type { Decision } from '../domain/decision.ts'
import type { TopicNames } from '../events/topics.ts'
import { messageOf } from '../errors.ts'
import type { BankMatch } from '../signals/image-hash/ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { assess, type Gate } from './assess.ts'
import type { Offered } from './banks/quarantine.ts'
import { createLoop, type Loop } from './loop.ts'
import { keepPictures } from './pictures/keeping.ts'
import type { PictureStore } from './pictures/ports.ts'
import { lookAgain, withInline } from './rescreening/look.ts'
import type { DueRescreen, RescreenPauses, RescreenStore } from './rescreening/ports.ts'
import { LAST_LOOK_SECONDS, settleRescreens, type Rescreened } from './rescreening/settle.ts'

export interface RescreeningOptions {
  readonly store: RescreenStore
  readonly gate: () => Gate
  readonly topics: TopicNames
  readonly telemetry: Telemetry
  readonly pictures?: PictureStore
  /** Called for each listing that waited for a signal and was tried again, with what its pictures are like. */
  readonly matched?: (offered: Offered, matches: readonly BankMatch[]) => void
  readonly decided?: (decisions: readonly Decision[]) => void
}

/** One round looks at all of them at once, so that it takes the time limit of one. */
const LIMIT = 32
/** Listings of a departed picture that one transaction queues: some ten milliseconds, in which they are locked. */
const QUEUED_AT_ONCE = 500
const NAP_MS = 1_000
/** Seconds from one attempt to the next: an outage of minutes is met soon, one of hours costs little. */
const PAUSES: RescreenPauses = {
  after: [120, 300, 900, 2_700, 7_200, 14_400, 21_600],
  beforeDeadline: LAST_LOOK_SECONDS,
}

export function createRescreening(options: RescreeningOptions): Loop {
  const { store, topics, telemetry } = options
  return createLoop('rescreening', telemetry.log, async () => {
    const queued = await store.queueDeparted(QUEUED_AT_ONCE)
    const gate = options.gate()
    // Before the banks in memory know what left, trying again would only find it once more.
    const due = await store.claim(LIMIT, PAUSES, gate.banks?.change ?? 0n)
    if (due.length === 0) return queued > 0 ? 0 : NAP_MS
    const tried = await tryAgain(due, gate, options)
    let decided: readonly Decision[] = []
    await store.settle(
      tried.map((one) => one.listing.listingId),
      (known, now) => {
        const result = settleRescreens(tried, known, { now, topics })
        decided = result.decided
        return result
      },
    )
    const { metrics } = telemetry
    metrics.touchstone_rescreens_total.inc({ result: 'decided' }, decided.length)
    metrics.touchstone_rescreens_total.inc({ result: 'in-vain' }, due.length - decided.length)
    for (const { outcome, stage } of decided) metrics.touchstone_decisions_total.inc({ outcome, stage })
    if (decided.length > 0) options.decided?.(decided)
    return due.length === LIMIT || queued > 0 ? 0 : NAP_MS
  })
}

async function tryAgain(
  due: readonly DueRescreen[],
  gate: Gate,
  { telemetry, pictures, matched }: RescreeningOptions,
): Promise<Rescreened[]> {
  const tried = await Promise.all(
    due.map(async (one): Promise<Rescreened | undefined> => {
      const { attempts } = one
      const listing = withInline(one)
      try {
        const assessment = await assess(gate, listing, new Date(), await lookAgain(gate, listing, pictures))
        // What a picture had stopped met its likes when it was decided: all of it at once is no sudden crowd of sellers.
        if (one.afterChange === 0n) matched?.(listing, assessment.bankMatches)
        return { ...one, listing, assessment }
      } catch (error) {
        // A bug of ours; the decision that stands goes on standing, and the next attempt may be with a mended version.
        telemetry.log.error({ err: messageOf(error), attempts }, 'a listing could not be assessed again')
        return undefined
      }
    }),
  )
  const judged = tried.filter((one) => one !== undefined)
  if (gate.pictures === undefined || pictures === undefined) return judged
  // Nothing is drawn anew: what is tried again and allowed is a sample only where it was one, which its case shows.
  const keepsakes = await keepPictures(judged, gate.pictures, pictures, () => false)
  return judged.map((one) => ({ ...one, ...keepsakes.get(one) }))
}
