// Whose picture is read next: the time of the threads is shared equally, between marketplaces first, then between sellers.
import { createLatest, type Latest } from '../latest.ts'
import type { Whose } from './ports.ts'

export interface ReadingTurns {
  /** The way to give the turn back, saying whether the picture was dear; undefined when the signal was given first. */
  take(whose: Whose, until: AbortSignal): Promise<((dear: boolean) => void) | undefined>
}

/** Milliseconds of threads that were had; who comes begins where those are who are served now, so nothing is saved up. */
interface Share {
  spent: number
  /** That wait, and that have a turn. */
  waiting: number
  inside: number
}
interface Seller extends Share {
  /** Its last picture was; it may be again. */
  dear: boolean
  readonly queue: Set<() => void>
}
interface Marketplace extends Share {
  readonly sellers: Shares<Seller>
  /** Where the seller was that was served last. */
  at: number
}

interface Shares<S> {
  readonly present: Map<string, S>
  /** Who has nothing here now: what it had is not forgotten between one of its pictures and the next. */
  readonly absent: Latest<S>
}
const createShares = <S>(): Shares<S> => ({ present: new Map(), absent: createLatest(REMEMBERED) })
const NOTHING = { spent: 0, waiting: 0, inside: 0 }

/** Those who left last are remembered. */
const REMEMBERED = 1_000
/** Counted when a turn begins, until it is known what it took: or whoever comes with many would have all turns at once. */
const FORESEEN_MS = 10

/**
 * Whose pictures are dear has few of them read, whose pictures are cheap has many. Sellers make up listings without end, and
 * a hostile marketplace makes up sellers: so neither is served by how much it has waiting. Nothing that is being read can be
 * stopped for somebody else: those who showed that theirs are dear have not all turns at once, also while nobody else waits.
 *
 * @param all Turns at once.
 * @param dearAtOnce Of them for those whose pictures are dear.
 * @param clock Milliseconds.
 */
export function createReadingTurns(
  all: number,
  dearAtOnce: number,
  clock: () => number = () => performance.now(),
): ReadingTurns {
  const marketplaces = createShares<Marketplace>()
  let at = 0
  let free = all
  let dearInside = 0

  function next(): void {
    const mayGo = (seller: Seller): boolean => seller.waiting > 0 && (!seller.dear || dearInside < dearAtOnce)
    const mayGoOf = ({ waiting, sellers }: Marketplace): boolean =>
      waiting > 0 && [...sellers.present.values()].some(mayGo)
    while (free > 0) {
      const marketplace = least(marketplaces, mayGoOf)
      const seller = marketplace === undefined ? undefined : least(marketplace.sellers, mayGo)
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
      const marketplace = present<Marketplace>(marketplaces, name, at, () => ({
        ...NOTHING,
        at: 0,
        sellers: createShares<Seller>(),
      }))
      const seller = present<Seller>(marketplace.sellers, sellerId, marketplace.at, () => ({
        ...NOTHING,
        dear: false,
        queue: new Set<() => void>(),
      }))
      const shares = [marketplace, seller]
      const count = (waiting: number, inside: number, spent: number) => {
        for (const share of shares) {
          share.waiting += waiting
          share.inside += inside
          share.spent += spent
        }
        leaves(marketplace.sellers, sellerId, seller)
        leaves(marketplaces, name, marketplace)
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
          const wasDear = seller.dear
          if (wasDear) dearInside += 1
          resolve((dear) => {
            free += 1
            if (wasDear) dearInside -= 1
            seller.dear = dear
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

/** Of those that may go, who had least; of equals who came first. */
function least<S extends Share>({ present }: Shares<S>, mayGo: (share: S) => boolean): S | undefined {
  let found: S | undefined
  for (const share of present.values())
    if ((found === undefined || share.spent < found.spent) && mayGo(share)) found = share
  return found
}

function present<S extends Share>({ present, absent }: Shares<S>, name: string, at: number, make: () => S): S {
  const known = present.get(name)
  if (known !== undefined) return known
  const share = absent.get(name) ?? make()
  absent.remove(name)
  share.spent = Math.max(share.spent, at)
  present.set(name, share)
  return share
}

function leaves<S extends Share>({ present, absent }: Shares<S>, name: string, share: S): void {
  if (share.waiting + share.inside > 0) return
  present.delete(name)
  absent.put(name, share)
}
