// What was published last on each partition: read from the end of the topic, where only what is committed counts.
import { setTimeout as sleep } from 'node:timers/promises'
import { TouchstoneError } from '../../errors.ts'
import type { Place, PublishedPosition } from '../../pipeline/publishing/ports.ts'
import { publishedPosition } from './fenced-records.ts'
import type { Fetched, Fetcher, Range } from './fetch.ts'
import { isRefusal } from './unreadable.ts'

/** Offsets looked at first: a transaction's mark and what was aborted lie behind the last record of ours. */
const WINDOW = 256n
/** Further back in this many times the window, while nothing of ours was found. */
const WIDER = 8n
/** A fetch; one batch that is larger comes whole. */
const FETCH_BYTES = 1024 * 1024
/** Somebody else's transaction that is open on the topic hides what comes after it: the brokers abort it in minutes at most, we try again sooner. */
const OPEN_MS = 15_000
const LOOK_MS = 50
/** Ours begin at 1. */
const NOTHING = { storeId: undefined, position: 0n, key: null, value: null } as const
/** Retention may take what was to be read while it is read. */
const TRIES = 3

/** `progressed` with each answer that brought it on; `openMs`: how long it waits for somebody's open transaction. Throws rather than say too little: what it does not find would be published again. */
export async function lastPublished(
  fetcher: Fetcher,
  places: readonly Place[],
  { progressed = () => undefined, openMs = OPEN_MS }: LookOptions = {},
): Promise<readonly PublishedPosition[]> {
  const found: PublishedPosition[] = []
  for (const [topic, some] of Map.groupBy(places, (place) => place.topic)) {
    const ranges = new Map((await fetcher.ranges(topic)).map((range) => [range.partition, range]))
    const ends = await Promise.all(
      some.map((place) => {
        const range = ranges.get(place.partition)
        if (range === undefined)
          throw new TouchstoneError('topics-wrong', `The topic ${topic} has no partition ${place.partition}`)
        return lastOn(fetcher, place, range, { progressed, openMs })
      }),
    )
    found.push(...ends.filter((end) => end !== undefined))
  }
  return found
}

interface LookOptions {
  readonly progressed?: (() => void) | undefined
  readonly openMs?: number
}

async function lastOn(
  fetcher: Fetcher,
  place: Place,
  range: Range,
  look: Required<LookOptions>,
): Promise<PublishedPosition | undefined> {
  let { low, high } = range
  for (let tries = 1; ; tries += 1) {
    try {
      const last = await search(fetcher, place, low, high, look)
      // All that was ever written is there, and nothing of it is ours: retention took nothing, so nothing was published.
      return last ?? (low === 0n ? { ...place, ...NOTHING } : undefined)
    } catch (error) {
      const gone = error instanceof TouchstoneError && error.code === 'offset-out-of-range'
      if (!gone || tries === TRIES) throw error
      const now = (await fetcher.ranges(place.topic)).find((one) => one.partition === place.partition)
      if (now === undefined) throw error
      ;({ low, high } = now)
    }
  }
}

async function search(
  fetcher: Fetcher,
  place: Place,
  low: bigint,
  high: bigint,
  look: Required<LookOptions>,
): Promise<PublishedPosition | undefined> {
  let window = WINDOW
  for (let end = high; end > low;) {
    const start = end - window > low ? end - window : low
    const last = await lastBetween(fetcher, place, start, end, look)
    if (last !== undefined) return last
    end = start
    window *= WIDER
  }
  return undefined
}

async function lastBetween(
  fetcher: Fetcher,
  place: Place,
  start: bigint,
  end: bigint,
  { progressed, openMs }: Required<LookOptions>,
): Promise<PublishedPosition | undefined> {
  let last: PublishedPosition | undefined
  let patience = performance.now() + openMs
  for (let from = start; from < end;) {
    const { records, next } = await fetchFrom(fetcher, place, from)
    for (const record of records) {
      if (record.offset < end) last = further(last, publishedPosition(place, record))
    }
    if (next > from) {
      from = next
      progressed?.()
      patience = performance.now() + openMs
    } else if (performance.now() > patience) {
      throw new TouchstoneError(
        'log-unavailable',
        `${place.topic}[${place.partition}] cannot be read to its end: a transaction of somebody else is open from offset ${from} on`,
      )
    } else await sleep(LOOK_MS)
  }
  return last
}

/**
 * A batch that cannot be read and was written outside of transactions is not ours: behind it goes on. Of any other nobody
 * can say whether it is ours, and what is taken for a stranger's would be published again.
 */
async function fetchFrom(fetcher: Fetcher, place: Place, from: bigint): Promise<Pick<Fetched, 'records' | 'next'>> {
  try {
    return await fetcher.fetchFrom(place, from, { maxBytes: FETCH_BYTES, isolation: 'committed' })
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (!error.inTransaction) return { records: [], next: error.last + 1n }
    throw new TouchstoneError(
      'topics-wrong',
      `${error.message}. So nobody can say what was published last: find who wrote it, and delete the records below the offset ${error.last + 1n} (kafka-delete-records) when its readers are done with them`,
    )
  }
}

/** The later one; of one store the one that is further: who copies a record to its own topic copies our headers too. */
function further(
  last: PublishedPosition | undefined,
  next: PublishedPosition | undefined,
): PublishedPosition | undefined {
  if (last === undefined || next === undefined) return next ?? last
  return next.storeId === last.storeId && next.position < last.position ? last : next
}
