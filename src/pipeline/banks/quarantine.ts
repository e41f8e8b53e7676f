// Watches how many sellers each counterfeit picture meets: one that suddenly meets far too many goes into quarantine.
import { createHash } from 'node:crypto'
import type { BankStore } from '../../rights/bank-ports.ts'
import type { BankMatch } from '../../signals/image-hash/ports.ts'
import { messageOf } from '../../errors.ts'
import type { Telemetry } from '../../telemetry.ts'

export interface BankWatch {
  /** What one listing's pictures matched. Costs microseconds, never throws. */
  saw(sellerId: string, matches: readonly Pick<BankMatch, 'imageId' | 'bankId' | 'kind'>[]): void
  /** Waits for what is being written. */
  stop(): Promise<void>
}

const HOUR_MS = 3_600_000
/**
 * Pictures watched at once; beyond, the one that was met longest ago is forgotten: what meets many sellers an hour is met
 * often. With the limit's default of 100 sellers each, of some 50 bytes, all take 20 MB at most.
 */
const MOST_WATCHED = 4_096
/** A store that refuses is asked again after so long, at the next match. */
const RETRY_MS = 10_000

/**
 * More than `limit` different sellers within an hour, as this process sees them.
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
  store: Pick<BankStore, 'quarantine'>,
  telemetry: Telemetry,
  options: { readonly limit: number; readonly now?: () => number },
): BankWatch {
  const { limit, now = Date.now } = options
  /** Of each picture its sellers with when they were last seen, the oldest first; those met last at the end. */
  const watched = new Map<string, Map<number, number>>()
  const asked = new Map<string, number>()
  const writing = new Set<Promise<void>>()

  function count(imageId: string, seller: number, at: number): number {
    const sellers = watched.get(imageId) ?? new Map<number, number>()
    watched.delete(imageId)
    watched.set(imageId, sellers)
    sellers.delete(seller)
    sellers.set(seller, at)
    for (const [one, seen] of sellers) {
      if (seen > at - HOUR_MS && sellers.size <= limit + 1) break
      sellers.delete(one)
    }
    for (const oldest of watched.keys()) {
      if (watched.size <= MOST_WATCHED) break
      watched.delete(oldest)
    }
    return sellers.size
  }

  async function quarantine({ imageId, bankId }: { imageId: string; bankId: string }): Promise<void> {
    try {
      const done = await store.quarantine(bankId, imageId, 'quarantine', true, 'all')
      watched.delete(imageId)
      if (!done) return
      telemetry.metrics.touchstone_quarantines_total.inc()
      telemetry.log.error(
        { imageId, bankId, sellers: limit + 1 },
        'a picture of a bank met too many sellers within an hour and is in quarantine: look at it, and release or remove it',
      )
    } catch (error) {
      telemetry.log.warn({ err: messageOf(error), imageId, bankId }, 'a picture could not be put into quarantine yet')
    }
  }

  return {
    saw(sellerId, matches) {
      if (matches.length === 0) return
      // Here and not with the look-up: a dry run or an example of a policy is nobody's listing.
      for (const { kind } of matches) telemetry.metrics.touchstone_bank_matches_total.inc({ kind })
      const at = now()
      const seller = numberOf(sellerId)
      for (const match of matches) {
        if (match.kind !== 'counterfeit' || count(match.imageId, seller, at) <= limit) continue
        if (at - (asked.get(match.imageId) ?? -RETRY_MS) < RETRY_MS) continue
        if (asked.size >= MOST_WATCHED) asked.clear()
        asked.set(match.imageId, at)
        const write = quarantine(match).finally(() => writing.delete(write))
        writing.add(write)
      }
    },
    async stop() {
      await Promise.all(writing)
    },
  }
}

/** 48 bits: two of a hundred sellers are taken for one once in ten billion times. */
const numberOf = (sellerId: string): number => createHash('sha256').update(sellerId).digest().readUIntBE(0, 6)
