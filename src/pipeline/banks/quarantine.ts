// Watches how many sellers each counterfeit picture meets: of one that suddenly meets far too many people are told, or it goes into quarantine.
import { createHash } from 'node:crypto'
import type { BankStore } from '../../rights/bank-ports.ts'
import type { BankMatch } from '../../signals/image-hash/ports.ts'
import { messageOf } from '../../errors.ts'
import type { Telemetry } from '../../telemetry.ts'

/** Whose listing it was: a seller's name means something only within its marketplace. */
export interface Offered {
  readonly marketplace?: string | undefined
  readonly sellerId: string
}

export interface BankWatch {
  /** What the pictures of one listing that was decided matched, if anything. Costs microseconds, never throws. */
  saw(offered: Offered, matches: readonly Pick<BankMatch, 'imageId' | 'bankId' | 'kind'>[]): void
  /** Waits for what is being written. */
  stop(): Promise<void>
}

export interface WatchedStore extends Pick<BankStore, 'quarantine'> {
  /** Marketplaces whose keys may send listings: null for a key that is bound to none. Asked only when a picture met too many. */
  senders(): Promise<readonly (string | null)[]>
}

const HOUR_MS = 3_600_000
/**
 * Pairs of picture and marketplace watched at once; beyond, the one that was met longest ago is forgotten: what meets many
 * sellers an hour is met often. With the limit's default of 100 sellers each, of some 50 bytes, all take 20 MB at most.
 */
const MOST_WATCHED = 4_096
/** A store that refuses, and keys that may have changed, are asked again after so long, at the next match. */
const RETRY_MS = 10_000
/** A marketplace that had a listing decided so lately is at home here. */
const AT_HOME_MS = 24 * HOUR_MS
/** Of marketplaces the latest: a key that is bound to none may name as many as it likes. */
const MARKETPLACES = 1_000

/**
 * More than `limit` different sellers of one marketplace within an hour, of listings that were decided, as this process sees
 * them. What follows depends on who says so, because whoever may send listings makes up its sellers:
 *
 * - of two marketplaces: the picture goes into quarantine;
 * - of one that is the only one here: likewise. It is, where no other had a listing decided within a day and no key of another
 *   may send any; keys that are bound to no marketplace are the operator's own;
 * - of one among several: an alert, and the picture matches on. Else one tenant could disarm the bank of all others.
 *
 * Sellers and not listings: one seller who offers the same picture a thousand times is what the bank is for. A ring of
 * counterfeiters that shares a picture has tens of accounts and not hundreds in one hour; a picture that hundreds of
 * strangers show is a size chart, a maker's photograph or a plain shoe that came into the bank by mistake or by malice, and
 * every hour more of it holds honest sellers. Only what speaks against a seller is watched: genuine, logo and allowed
 * pictures are there to be met by many, and an allowed one taken away would hold more listings instead of fewer.
 * Each process counts what it sees, so with several workers it may take so many times the limit; nothing is lost by that
 * but an hour's work of reviewers. What a person let out is counted from the beginning.
 */
export function createBankWatch(
  store: WatchedStore,
  telemetry: Telemetry,
  options: { readonly limit: number; readonly now?: () => number },
): BankWatch {
  const { limit, now = Date.now } = options
  const watched = createSellerCounts(limit)
  /** When which marketplace went beyond the limit, by picture. */
  const beyond = createLatest<Map<string, number>>(MOST_WATCHED)
  const home = createLatest<number>(MARKETPLACES)
  const asked = createLatest<number>(MOST_WATCHED)
  const alerted = createLatest<number>(MOST_WATCHED)
  const writing = new Set<Promise<void>>()

  /** Both may be null: of no marketplace. */
  async function isOnlyOne(marketplace: string | undefined, at: number): Promise<boolean> {
    for (const [other, seen] of home.entries())
      if (other !== nameOf(marketplace) && seen > at - AT_HOME_MS) return false
    const bound = await store.senders()
    return bound.every((one) => one === null) || bound.every((one) => one === (marketplace ?? null))
  }

  async function act({ imageId, bankId }: Met, marketplace: string | undefined, at: number): Promise<void> {
    const about = { imageId, bankId, marketplace, sellers: limit + 1 }
    try {
      const many = (beyond.get(imageId)?.size ?? 0) > 1
      if (!many && !(await isOnlyOne(marketplace, at))) {
        const key = keyOf(imageId, marketplace)
        if (at - (alerted.get(key) ?? -HOUR_MS) < HOUR_MS) return
        alerted.put(key, at)
        telemetry.metrics.touchstone_bank_alerts_total.inc()
        telemetry.log.error(
          about,
          'a picture of a bank met too many sellers of one marketplace within an hour; it matches on, because other marketplaces rely on it: look at it, and quarantine or remove it if it is no counterfeit',
        )
        return
      }
      const done = await store.quarantine(bankId, imageId, 'quarantine', true, 'all')
      for (const name of beyond.get(imageId)?.keys() ?? []) watched.forget(imageId + name)
      beyond.remove(imageId)
      if (!done) return
      telemetry.metrics.touchstone_quarantines_total.inc()
      telemetry.log.error(
        about,
        'a picture of a bank met too many sellers within an hour and is in quarantine: look at it, and release or remove it',
      )
    } catch (error) {
      telemetry.log.warn({ err: messageOf(error), imageId, bankId }, 'a picture could not be put into quarantine yet')
    }
  }

  return {
    saw({ marketplace, sellerId }, matches) {
      const at = now()
      home.put(nameOf(marketplace), at)
      if (matches.length === 0) return
      // Here and not with the look-up: a dry run or an example of a policy is nobody's listing.
      for (const { kind } of matches) telemetry.metrics.touchstone_bank_matches_total.inc({ kind })
      const seller = numberOf(sellerId)
      for (const match of matches) {
        const key = keyOf(match.imageId, marketplace)
        if (match.kind !== 'counterfeit' || watched.count(key, seller, at) <= limit) continue
        const names = beyond.get(match.imageId) ?? new Map<string, number>()
        names.set(nameOf(marketplace), at)
        for (const [name, then] of names) if (then <= at - HOUR_MS) names.delete(name)
        beyond.put(match.imageId, names)
        if (at - (asked.get(key) ?? -RETRY_MS) < RETRY_MS) continue
        asked.put(key, at)
        const write = act(match, marketplace, at).finally(() => writing.delete(write))
        writing.add(write)
      }
    },
    async stop() {
      await Promise.all(writing)
    },
  }
}

type Met = Pick<BankMatch, 'imageId' | 'bankId'>

/** None is not the same as one that is called so. */
const nameOf = (marketplace: string | undefined): string => (marketplace === undefined ? '' : ` ${marketplace}`)
const keyOf = (imageId: string, marketplace: string | undefined): string => imageId + nameOf(marketplace)

/** Sellers by picture and marketplace with when they were last seen, those before an hour ago left out. */
function createSellerCounts(limit: number) {
  const watched = createLatest<Map<number, number>>(MOST_WATCHED)
  return {
    count(key: string, seller: number, at: number): number {
      const sellers = watched.get(key) ?? new Map<number, number>()
      watched.put(key, sellers)
      sellers.delete(seller)
      sellers.set(seller, at)
      for (const [one, seen] of sellers) {
        if (seen > at - HOUR_MS && sellers.size <= limit + 1) break
        sellers.delete(one)
      }
      return sellers.size
    },
    forget: (key: string) => watched.remove(key),
  }
}

/** What was put last is kept, so many of it. */
function createLatest<T>(most: number) {
  const entries = new Map<string, T>()
  return {
    get: (key: string) => entries.get(key),
    entries: () => entries.entries(),
    remove: (key: string) => void entries.delete(key),
    put(key: string, value: T) {
      entries.delete(key)
      entries.set(key, value)
      const [oldest] = entries.size > most ? entries.keys() : []
      if (oldest !== undefined) entries.delete(oldest)
    },
  }
}

/** 48 bits: two of a hundred sellers are taken for one once in ten billion times. */
const numberOf = (sellerId: string): number => createHash('sha256').update(sellerId).digest().readUIntBE(0, 6)
