// Watches how many sellers each counterfeit picture meets: where it suddenly meets far too many the store is told, and people are.
import { createHash } from 'node:crypto'
import type { AlertResult } from '../../domain/bank.ts'
import type { Listing } from '../../domain/listing.ts'
import type { BankStore } from '../../rights/bank-ports.ts'
import type { BankMatch } from '../../signals/image-hash/ports.ts'
import { messageOf } from '../../errors.ts'
import type { Telemetry } from '../../telemetry.ts'
import { createLatest } from '../latest.ts'
import { createSellerCounts, MOST_WATCHED, type MetSellers } from './seller-counts.ts'

/** Whose listing it was: a seller's name means something only within its marketplace, which knows how old the account is. */
export type Offered = Pick<Listing, 'marketplace' | 'sellerId' | 'seller'>

export interface BankWatch {
  /** What the pictures of one listing that was decided matched, if anything. Costs microseconds, never throws. */
  saw(offered: Offered, matches: readonly Pick<BankMatch, 'imageId' | 'bankId' | 'kind'>[]): void
  /** Waits for what is being written. */
  stop(): Promise<void>
}

export type WatchedStore = Pick<BankStore, 'alarm'>

export interface BankWatchOptions {
  /** Different sellers of one marketplace within an hour; beyond is too many. */
  readonly limit: number
  /** Pictures that go into quarantine of themselves within an hour for one marketplace. */
  readonly perHour: number
  readonly now?: () => number
}

const HOUR_MS = 3_600_000
/** A store that refuses is asked again after so long, at the next match. */
const RETRY_MS = 10_000
/** What matches on is asked about again after so long: the hour of the bound goes on meanwhile. */
const AGAIN_MS = 600_000
/** Accounts for one attack are opened for it; of honest sellers a few in a hundred are as young. */
const NEW_MS = 7 * 24 * HOUR_MS

/**
 * Too many: more than `limit` different sellers of one marketplace within an hour, of listings that were decided, as this
 * process sees them. What follows is decided in the store (`BankStore.alarm`), which alone knows what others saw:
 *
 * - The picture goes into quarantine for that marketplace and matches on for the others, who rely on it: whoever sends
 *   listings makes up its sellers. Listings that name no marketplace are as one of their own.
 * - For all only when several marketplaces say the same of it.
 * - Each marketplace has a bound for an hour: accounts can be bought, and nobody shall empty a bank with a hundred of them.
 * - A seller whose account is younger than a week, as its marketplace says, is named in the alert and counts for nothing
 *   else. Where the marketplace does not say it, it counts: what the store decided before is not kept by seller.
 *
 * In each case an alert stays until somebody has answered it.
 *
 * Sellers and not listings: one seller who offers the same picture a thousand times is what the bank is for. A ring of
 * counterfeiters that shares a picture has tens of accounts and not hundreds in one hour; a picture that hundreds of
 * strangers show is a size chart, a maker's photograph or a plain shoe that came into the bank by mistake or by malice, and
 * every hour more of it holds honest sellers. Only what speaks against a seller is watched: genuine, logo and allowed
 * pictures are there to be met by many, and an allowed one taken away would hold more listings instead of fewer.
 * Each process counts what it sees, so with several workers it may take so many times the limit; nothing is lost by that
 * but an hour's work of reviewers. What a person let out is counted from the beginning, in every process.
 */
export function createBankWatch(
  store: WatchedStore,
  { metrics, log }: Pick<Telemetry, 'metrics' | 'log'>,
  { limit, perHour, now = Date.now }: BankWatchOptions,
): BankWatch {
  const sellers = createSellerCounts(limit, HOUR_MS)
  const notBefore = createLatest<number>(2 * MOST_WATCHED)
  const toldAt = createLatest<number>(2 * MOST_WATCHED)
  const waiting = new Set<string>()
  /** One after the other: each takes the lock that all changes of reference data take. */
  let writing = Promise.resolve()

  function tell(about: object, key: string, result: AlertResult, at: number): void {
    const name = `${result} ${key}`
    if (at - (toldAt.get(name) ?? -HOUR_MS) < HOUR_MS) return
    toldAt.put(name, at)
    metrics.touchstone_bank_alerts_total.inc({ result })
    if (isQuarantine(result)) metrics.touchstone_quarantines_total.inc()
    log.error({ ...about, result }, TOLD[result])
  }

  async function act(alarm: Alarm): Promise<void> {
    const { match, marketplace, key, due, at, met, enough } = alarm
    const { imageId, bankId } = match
    try {
      const seen = { marketplace, sellers: met.known + met.fresh, newSellers: met.fresh, seconds: met.seconds }
      const result = await store.alarm(bankId, imageId, { ...seen, enough }, perHour)
      if (result === undefined || isQuarantine(result)) sellers.forget(key)
      else notBefore.put(due, at + AGAIN_MS)
      if (result !== undefined) tell({ imageId, bankId, ...seen }, key, result, at)
    } catch (error) {
      log.warn({ err: messageOf(error), imageId, bankId }, 'a picture could not be put into quarantine yet')
    }
  }

  return {
    saw({ marketplace = null, sellerId, seller }, matches) {
      if (matches.length === 0) return
      const at = now()
      // Here and not with the look-up: a dry run or an example of a policy is nobody's listing.
      for (const { kind } of matches) metrics.touchstone_bank_matches_total.inc({ kind })
      const number = numberOf(sellerId)
      const isNew = seller?.createdAt !== undefined && Date.parse(seller.createdAt) > at - NEW_MS
      for (const match of matches) {
        if (match.kind !== 'counterfeit') continue
        const key = keyOf(match.imageId, marketplace)
        const met = sellers.count(key, number, isNew, at)
        if (met.known + met.fresh <= limit) continue
        const enough = met.known > limit
        const due = `${enough} ${key}`
        if (waiting.has(due) || at < (notBefore.get(due) ?? -Infinity)) continue
        notBefore.put(due, at + RETRY_MS)
        waiting.add(due)
        writing = writing
          .then(() => act({ match, marketplace, key, due, at, met, enough }))
          .finally(() => waiting.delete(due))
      }
    },
    async stop() {
      await writing
    },
  }
}

interface Alarm {
  readonly match: Pick<BankMatch, 'imageId' | 'bankId'>
  readonly marketplace: string | null
  readonly key: string
  readonly due: string
  readonly at: number
  readonly met: MetSellers
  readonly enough: boolean
}

const isQuarantine = (result: AlertResult): boolean => result === 'quarantined' || result === 'quarantined-for-all'

const MET = 'a picture of a bank met too many sellers of one marketplace within an hour'
const TOLD: Readonly<Record<AlertResult, string>> = {
  quarantined: `${MET}: it is in quarantine for that marketplace, and matches on for others; look at it, and release or remove it`,
  'quarantined-for-all': `${MET}, as of others before: it is in quarantine and matches nothing; look at it, and release or remove it`,
  bound: `${MET} and matches on: as many as may went into quarantine there by themselves within the hour; look at it, and quarantine, remove or release it`,
  'new-sellers': `${MET} and matches on: too many of them opened their accounts within the last week; look at it, and quarantine, remove or release it`,
}

/** None is not the same as one that is called so. */
const keyOf = (imageId: string, marketplace: string | null): string =>
  marketplace === null ? imageId : `${imageId} ${marketplace}`

/** 48 bits: two of a hundred sellers are taken for one once in ten billion times. */
const numberOf = (sellerId: string): number => createHash('sha256').update(sellerId).digest().readUIntBE(0, 6)
