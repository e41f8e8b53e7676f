// The places at one host: how sellers fared there lately says how many of them are for whom.
import { createLatest } from '../latest.ts'

/** How a picture ended: it came, its host let us wait for it, or anything else. */
export type How = 'brought' | 'late' | 'otherwise'

/** Of one seller at one host: pictures came lately, nothing is known, or what was waited for did not come. */
export type Standing = 'sound' | 'new' | 'late'

export interface Places {
  standing(seller: string, host: string): Standing
  hasRoom(seller: string, host: string): boolean
  /** As the seller stands now: it is given back in the same way. */
  take(seller: string, host: string, standing: Standing, places: number): void
  release(seller: string, host: string, standing: Standing): void
  ended(seller: string, host: string, how: How): void
  /** Seconds for which nothing more of the seller is asked for at the host; undefined when it may be. */
  resting(seller: string, host: string): number | undefined
}

/** A quarter is left to sellers whose pictures came lately: whoever makes up sellers and silent paths gets the others. */
const UNSURE = 3 / 4
/** Half are for those who let us wait before: what they send is tried again and again, and new sellers find room beside it. */
const LATE = 1 / 2
/** Nor has one seller more until something came: the others find room beside its first listings. */
const ONE_SELLER = 1 / 2
/** So many that come make up for one that did not: one good picture in each listing is no way around it. */
const OWED = 4
/** Beyond it more silences say nothing new, and who mends it is believed again. */
const MOST_OWED = 16
/** Three that did not come and were not made up: what else the seller has there need not be waited for. */
const RESTS_FROM = 12
/** Well within the minute after which listings are tried again. */
const REST_MS = 15_000
/** Of sellers at hosts, the latest are remembered. */
const REMEMBERED = 50_000

/**
 * Marketplaces keep the pictures of all of their sellers at one host, so some of its paths say nothing of the others. A silent
 * path holds a place for all of its time, and who comes meanwhile must find another. Whoever has several rests by itself.
 * @param now milliseconds that only rise.
 */
export function createPlaces(perHost: number, now: () => number): Places {
  const most = { sound: perHost, new: Math.ceil(perHost * UNSURE), late: Math.ceil(perHost * LATE) } as const
  const ofOneSeller = Math.ceil(perHost * ONE_SELLER)
  /** Of sellers that are not sound. */
  const ofSellers = new Map<string, number>()
  const taken = new Map<string, Record<Standing, number>>()
  const accounts = createLatest<{ readonly owes: number; readonly restsUntil: number }>(REMEMBERED)
  const keyOf = (seller: string, host: string): string => JSON.stringify([seller, host])

  const standing = (seller: string, host: string): Standing => {
    const account = accounts.get(keyOf(seller, host))
    return account === undefined ? 'new' : account.owes === 0 ? 'sound' : 'late'
  }
  function count(seller: string, host: string, standing: Standing, by: number): void {
    const at = taken.get(host) ?? { sound: 0, new: 0, late: 0 }
    at[standing] += by
    if (at.sound + at.new + at.late > 0) taken.set(host, at)
    else taken.delete(host)
    if (standing === 'sound') return
    const key = keyOf(seller, host)
    const held = (ofSellers.get(key) ?? 0) + by
    if (held > 0) ofSellers.set(key, held)
    else ofSellers.delete(key)
  }

  return {
    standing,
    hasRoom(seller, host) {
      const at = taken.get(host)
      if (at === undefined) return true
      const unsure = at.new + at.late
      if (unsure + at.sound >= perHost) return false
      const stands = standing(seller, host)
      if (stands === 'sound') return true
      if (unsure >= most.new || (ofSellers.get(keyOf(seller, host)) ?? 0) >= ofOneSeller) return false
      return stands === 'new' || at.late < most.late
    },
    take: count,
    release(seller, host, standing) {
      count(seller, host, standing, -1)
    },
    ended(seller, host, how) {
      if (how === 'otherwise') return
      const key = keyOf(seller, host)
      const { owes, restsUntil } = accounts.get(key) ?? { owes: 0, restsUntil: 0 }
      if (how === 'brought') {
        // Something comes again: the rest is over.
        accounts.put(key, { owes: Math.max(0, owes - 1), restsUntil: 0 })
        return
      }
      const owing = Math.min(MOST_OWED, owes + OWED)
      accounts.put(key, { owes: owing, restsUntil: owing < RESTS_FROM ? restsUntil : now() + REST_MS })
    },
    resting(seller, host) {
      const left = (accounts.get(keyOf(seller, host))?.restsUntil ?? 0) - now()
      return left > 0 ? Math.ceil(left / 1000) : undefined
    },
  }
}
