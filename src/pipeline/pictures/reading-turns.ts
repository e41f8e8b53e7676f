// Whose picture is read next: the time of the threads is shared equally, between marketplaces first, then between sellers.
import type { Whose } from './ports.ts'

export interface ReadingTurns {
  /** The way to give the turn back; undefined when the signal was given first. */
  take(whose: Whose, until: AbortSignal): Promise<(() => void) | undefined>
}

/** Milliseconds of threads that were had; who comes begins where those are who are served now, so nothing is saved up. */
interface Share {
  spent: number
  /** That wait, and that have a turn. Who has neither is forgotten. */
  waiting: number
  inside: number
}
interface Seller extends Share {
  readonly queue: Set<() => void>
}
interface Marketplace extends Share {
  readonly sellers: Map<string, Seller>
  /** Where the seller was that was served last. */
  at: number
}

/** Counted when a turn begins, until it is known what it took: or whoever comes with many would have all turns at once. */
const FORESEEN_MS = 10

/**
 * Whose pictures are dear has few of them read, whose pictures are cheap has many. Sellers make up listings without end, and
 * a hostile marketplace makes up sellers: so neither is served by how much it has waiting.
 *
 * @param all Turns at once.
 * @param clock Milliseconds.
 */
export function createReadingTurns(all: number, clock: () => number = () => performance.now()): ReadingTurns {
  const marketplaces = new Map<string, Marketplace>()
  let at = 0
  let free = all

  function next(): void {
    while (free > 0) {
      const marketplace = least(marketplaces)
      const seller = marketplace === undefined ? undefined : least(marketplace.sellers)
      const [go] = seller?.queue ?? []
      if (marketplace === undefined || seller === undefined || go === undefined) return
      at = marketplace.spent
      marketplace.at = seller.spent
      go()
    }
  }

  return {
    take({ marketplace: name = '', sellerId }, until) {
      if (until.aborted) return Promise.resolve(undefined)
      const marketplace: Marketplace = marketplaces.get(name) ?? {
        spent: at,
        waiting: 0,
        inside: 0,
        at: 0,
        sellers: new Map(),
      }
      marketplaces.set(name, marketplace)
      const seller: Seller = marketplace.sellers.get(sellerId) ?? {
        spent: marketplace.at,
        waiting: 0,
        inside: 0,
        queue: new Set(),
      }
      marketplace.sellers.set(sellerId, seller)
      const shares = [marketplace, seller]
      const count = (waiting: number, inside: number, spent: number) => {
        for (const share of shares) {
          share.waiting += waiting
          share.inside += inside
          share.spent += spent
        }
        if (seller.waiting + seller.inside === 0) marketplace.sellers.delete(sellerId)
        if (marketplace.sellers.size === 0) marketplaces.delete(name)
      }
      return new Promise((resolve) => {
        const leave = () => {
          seller.queue.delete(go)
          count(-1, 0, 0)
          resolve(undefined)
        }
        const go = () => {
          until.removeEventListener('abort', leave)
          seller.queue.delete(go)
          free -= 1
          count(-1, 1, FORESEEN_MS)
          const began = clock()
          resolve(() => {
            free += 1
            count(0, -1, clock() - began - FORESEEN_MS)
            next()
          })
        }
        seller.queue.add(go)
        count(1, 0, 0)
        until.addEventListener('abort', leave, { once: true })
        next()
      })
    },
  }
}

/** Of those that wait, who had least; of equals who came first. */
function least<S extends Share>(shares: ReadonlyMap<string, S>): S | undefined {
  let found: S | undefined
  for (const share of shares.values())
    if (share.waiting > 0 && (found === undefined || share.spent < found.spent)) found = share
  return found
}
