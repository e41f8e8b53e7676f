// Follows what becomes of the records that were played: the feed, the dead letters, and by asking, what leaves no trace there.
import type { RecentDecisions } from '../../api/ports.ts'
import { decisionSchema, type Decision } from '../../domain/decision.ts'
import { refusalSchema } from '../../domain/refusal.ts'
import { lastHeader } from '../../events/header.ts'
import { listingDecided, listingRefused } from '../../events/index.ts'
import type { TopicNames } from '../../events/topics.ts'
import type { Log, LogRecord } from '../../pipeline/log/ports.ts'
import type { DecisionReader } from '../../pipeline/ports.ts'
import type { End, Ledger, Played } from './ledger.ts'

export interface FollowOptions {
  readonly log: Pick<Log, 'ranges' | 'read'>
  readonly reader: Pick<DecisionReader, 'feed' | 'endOf'> & RecentDecisions
  readonly topics: TopicNames
  readonly group: string
  readonly run: string
  readonly ledger: Ledger
  /** A record ended. */
  readonly onEnd: (played: Played, end: End) => void
  /** A listing of the play was decided again without a record: its hold ran out, or a person said something. */
  readonly onLater: (decision: Decision) => void
}

export interface Follower {
  /** Looks once at everything that is new. */
  look(): Promise<void>
}

const PAGE = 200

/** Begins at the end of what is there now. */
export async function follow(options: FollowOptions): Promise<Follower> {
  const { log, reader, topics, ledger } = options
  let { next: cursor } = await reader.recent(1, undefined)
  const letters = new Map((await log.ranges(topics.deadLetters)).map((r) => [r.partition, r.high]))

  /** Dead letters that are not (yet) ours: the gate may be faster than the log's answer to who appended. */
  const unmatched: LogRecord[] = []

  const end = (played: Played, how: End) => {
    played.end = how
    options.onEnd(played, how)
  }

  const lookAtFeed = async () => {
    for (;;) {
      const { entries, next } = await reader.feed(cursor, PAGE, undefined)
      cursor = next
      for (const { type, data } of entries) {
        if (type === listingDecided.type) {
          const decision = decisionSchema.parse(data)
          if (!decision.listingId.startsWith(`${options.run}-`)) continue
          const played = decision.stage === 'screening' ? ledger.waiting(decision) : undefined
          if (played === undefined) options.onLater(decision)
          else end(played, { kind: 'decided', decision })
        } else if (type === listingRefused.type) {
          const refusal = refusalSchema.parse(data)
          const played = ledger.waiting(refusal)
          if (played !== undefined) end(played, { kind: 'refused', refusal })
        }
      }
      if (entries.length < PAGE) return
    }
  }

  const lookAtDeadLetters = async () => {
    for (const { partition, high } of await log.ranges(topics.deadLetters)) {
      for (let from = letters.get(partition) ?? 0n; from < high;) {
        const records = await log.read(topics.deadLetters, partition, from, PAGE)
        for (const record of records) {
          from = record.offset + 1n
          unmatched.push(record)
        }
        if (records.length === 0) from = high
        letters.set(partition, from)
      }
    }
    for (const record of unmatched.splice(0)) {
      const played = playedOf(record)
      if (played === undefined) unmatched.push(record)
      else if (played.end === undefined) {
        end(played, { kind: 'dead-letter', code: header(record, 'code'), message: header(record, 'message') })
      }
    }
  }
  const playedOf = (record: LogRecord) =>
    header(record, 'topic') === topics.listings
      ? ledger.at(Number(header(record, 'partition')), BigInt(header(record, 'offset')))
      : undefined

  /** A record that the gate has passed and of which nothing was written: sent again, or withdrawn. */
  const ask = async () => {
    /** The gate may come further between two questions: of one listing nothing is said before what was sent earlier. */
    const pending = new Set<string>()
    for (const played of ledger.silent()) {
      if (played.place === undefined || played.identity === undefined || played.end !== undefined) continue
      if (pending.has(played.identity.listingId)) continue
      const became = await reader.endOf(options.group, topics.listings, played.place, played.identity)
      if (became.kind === 'pending') {
        pending.add(played.identity.listingId)
        continue
      }
      if (became.kind === 'refused') end(played, { kind: 'refused', refusal: became.refusal })
      else if (played.row.event === 'listing.withdrawn')
        end(played, { kind: ledger.withdrawnBefore(played) ? 'duplicate' : 'withdrawn' })
      else if (became.kind === 'decided' && ledger.decided(played.identity) !== undefined)
        end(played, { kind: 'duplicate' })
    }
  }

  return {
    async look() {
      // In this order: what the feed shows of a record is its end, and only what it does not show has to be asked for.
      await lookAtFeed()
      await lookAtDeadLetters()
      await ask()
    },
  }
}

function header(record: LogRecord, name: string): string {
  const value = lastHeader(record.headers, `touchstone-error-${name}`)
  return value === undefined ? '' : Buffer.from(value).toString('utf8')
}
