// How many sellers met which picture lately, in bounded memory.
import { createLatest } from '../latest.ts'

export interface MetSellers {
  /** At most one more than the limit of each. */
  readonly known: number
  /** Whose accounts are new. */
  readonly fresh: number
  /** Since the first of them was last seen. */
  readonly seconds: number
}

/**
 * Pairs of picture and marketplace watched at once; beyond, the one that was met longest ago is forgotten: what meets many
 * sellers an hour is met often. With the limit's default of 100 sellers each, twice where half are new, of some 50 bytes, all
 * take 40 MB at most.
 */
export const MOST_WATCHED = 4_096

interface Sellers {
  readonly known: Map<number, number>
  readonly fresh: Map<number, number>
}

/** @param window milliseconds after which a seller that was not seen again is forgotten */
export function createSellerCounts(limit: number, window: number) {
  const watched = createLatest<Sellers>(MOST_WATCHED)
  const drop = (sellers: Map<number, number>, at: number) => {
    for (const [one, seen] of sellers) {
      if (seen > at - window && sellers.size <= limit + 1) break
      sellers.delete(one)
    }
    return sellers.values().next().value ?? at
  }
  return {
    count(key: string, seller: number, isNew: boolean, at: number): MetSellers {
      const sellers = watched.get(key) ?? { known: new Map<number, number>(), fresh: new Map<number, number>() }
      watched.put(key, sellers)
      sellers.known.delete(seller)
      sellers.fresh.delete(seller)
      // Apart, so that new accounts never push out those that count.
      sellers[isNew ? 'fresh' : 'known'].set(seller, at)
      const since = Math.min(drop(sellers.known, at), drop(sellers.fresh, at))
      return {
        known: sellers.known.size,
        fresh: sellers.fresh.size,
        seconds: Math.ceil(Math.max(0, at - since) / 1_000),
      }
    },
    forget: (key: string) => watched.remove(key),
  }
}
