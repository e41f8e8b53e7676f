// Whose picture is read next: the time of the threads is shared equally, between marketplaces first, then between sellers.
import { createLatest, type Latest } from '../latest.ts'
import type { Whose } from './ports.ts'

export interface ReadingTurns {
  /** The way to give the turn back, saying whether the picture was dear; undefined when the signal was given first. */
  take(whose: Whose, until: AbortSignal, foreseen?: Foreseen): Promise<((dear: boolean) => void) | undefined>
}

/** What a picture may take, by its header. */
export interface Foreseen {
  readonly ms: number
  readonly dear: boolean
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
  readonly queue: Set<Waiting>
}
interface Waiting extends Foreseen {
  readonly go: () => void
}
interface Marketplace extends Share {
  readonly sellers: Shares<Seller>
}

interface Shares<S> {
  /** Where whoever comes begins: it goes on by what is had, shared by all who are present. */
  at: number
  readonly present: Map<string, S>
  /** Who has nothing here now: what it had is not forgotten between one of its pictures and the next. */
  readonly absent: Latest<S>
}
const createShares = <S>(): Shares<S> => ({ at: 0, present: new Map(), absent: createLatest(REMEMBERED) })
const NOTHING = { spent: 0, waiting: 0, inside: 0 }

/** Those who left last are remembered. */
const REMEMBERED = 1_000
/** Counted when a turn begins, until it is known what it took: or whoever comes with many would have all turns at once. */
const LEAST_MS = 10

/**
 * Whose pictures are dear has few of them read, whose pictures are cheap has many. Sellers make up listings without end, and
 * a hostile marketplace makes up sellers: so neither is served by how much it has waiting. Nothing that is being read can be
 * stopped for somebody else: those who showed that theirs are dear, or whose headers say it, have not all turns at once, also
 * while nobody else waits. Next is who will have had least once it is read, so a hundred new sellers with a dear one each are
 * behind one with a cheap one; in half of the time it is who had least before, or endless new sellers with cheap ones would
 * keep out whoever has a dear one.
 */
export function createReadingTurns(
  all: number,
  dearAtOnce: number,
  clock: () => number = () => performance.now(),
): ReadingTurns {
  const marketplaces = createShares<Marketplace>()
  let free = all
  let dearInside = 0
  /** Milliseconds that cheap ones had before dear ones whose turn it was. */
  let owed = 0

  function next(): void {
    const firstOf = ({ dear, queue }: Seller): Waiting | undefined => {
      const [first] = queue
      return first !== undefined && ((!dear && !first.dear) || dearInside < dearAtOnce) ? first : undefined
    }
    const firstBy = (rule: Rule): Waiting | undefined =>
      least(marketplaces, rule, ({ waiting, sellers }) => (waiting > 0 ? least(sellers, rule, firstOf) : undefined))
    while (free > 0) {
      const cheapest = firstBy('with')
      const longest = firstBy('without')
      if (cheapest === undefined || longest === undefined) return
      const isOwed = cheapest !== longest && owed > 0
      if (cheapest !== longest) owed += isOwed ? -longest.ms : cheapest.ms
      const first = isOwed ? longest : cheapest
      first.go()
    }
  }

  return {
    take({ marketplace: name = '', sellerId }, until, foreseen = { ms: 0, dear: false }) {
      if (until.aborted) return Promise.resolve(undefined)
      const marketplace = present<Marketplace>(marketplaces, name, () => ({
        ...NOTHING,
        sellers: createShares<Seller>(),
      }))
      const seller = present<Seller>(marketplace.sellers, sellerId, () => ({
        ...NOTHING,
        dear: false,
        queue: new Set<Waiting>(),
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
      const ms = Math.max(LEAST_MS, foreseen.ms)
      return new Promise((resolve) => {
        const leave = () => {
          seller.queue.delete(one)
          count(-1, 0, 0)
          resolve(undefined)
        }
        const go = () => {
          until.removeEventListener('abort', leave)
          seller.queue.delete(one)
          free -= 1
          count(-1, 1, ms)
          const began = clock()
          const wasDear = seller.dear || foreseen.dear
          if (wasDear) dearInside += 1
          resolve((dear) => {
            free += 1
            if (wasDear) dearInside -= 1
            seller.dear = dear
            const took = clock() - began
            passes(marketplace.sellers, took)
            passes(marketplaces, took)
            count(0, -1, took - ms)
            next()
          })
        }
        const one = { ...foreseen, ms, go }
        seller.queue.add(one)
        count(1, 0, 0)
        until.addEventListener('abort', leave, { once: true })
        next()
      })
    },
  }
}

/** Who had least, with what is read next or without. */
type Rule = 'with' | 'without'

/** Of those that may go, what is first with who had least; of equals who came first. */
function least<S extends Share>(
  { present }: Shares<S>,
  rule: Rule,
  firstOf: (share: S) => Waiting | undefined,
): Waiting | undefined {
  let found: Waiting | undefined
  let soonest = Infinity
  for (const share of present.values()) {
    const first = share.waiting > 0 ? firstOf(share) : undefined
    const had = share.spent + (rule === 'with' ? (first?.ms ?? 0) : 0)
    if (first === undefined || had >= soonest) continue
    found = first
    soonest = had
  }
  return found
}

/** Nobody who is present is behind it, so nothing is saved up. */
function passes<S extends Share>(shares: Shares<S>, took: number): void {
  let rearmost = Infinity
  for (const { spent } of shares.present.values()) rearmost = Math.min(rearmost, spent)
  shares.at = Math.max(shares.at + took / Math.max(1, shares.present.size), Math.min(rearmost, shares.at + took))
}

function present<S extends Share>({ at, present, absent }: Shares<S>, name: string, make: () => S): S {
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
