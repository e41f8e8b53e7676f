// Whose pictures may be asked for now: in turn over sites and sellers, those that deliver before strangers, and no more than memory takes.
import { siteOf } from '../../domain/site.ts'
import { createLatest } from '../latest.ts'
import { createGoing, type Going } from './going.ts'
import { createPlaces, type Standing } from './places.ts'

export interface Admission {
  /**
   * Waits until the pictures of one listing may be asked for: the host of each. `seller` has turns like a site. undefined
   * when the signal was given first. Each picture must then take its place, and say how it ended. `rests`: one of the hosts is not asked for this seller now.
   */
  begin(hosts: readonly string[], seller: string, until: AbortSignal): Promise<Going | 'rests' | undefined>
  /** Seconds for which nothing of the seller is asked for at the host; undefined when it may be. */
  resting(seller: string, host: string): number | undefined
  /** Takes so many bytes to hand; returns the way to put them down, or undefined where too many are held already. */
  hold(bytes: number): (() => void) | undefined
}

export interface AdmissionOptions {
  /** Pictures under way at once: as many as there are connections, so that nobody waits for one on its own clock. */
  readonly atOnce: number
  /** Of them at one host: as many as it has connections. */
  readonly perHost: number
  /** Bytes that have come and are not read yet. */
  readonly bytes: number
  /** Milliseconds that only rise. */
  readonly now?: () => number
}

/** Listings of one seller whose pictures lie on the same hosts. */
interface Group {
  readonly seller: string
  readonly hosts: readonly string[]
  readonly sites: readonly string[]
  /** Who has turns. */
  readonly names: readonly string[]
  readonly waiting: Set<{ readonly pictures: readonly string[]; readonly go: (going: Going | 'rests') => void }>
}

/** Whoever makes up hosts without end gets so much of everything; the rest is for hosts that brought something lately. */
const STRANGERS = 3 / 4
/** Of that one site has half at most: whoever has a single name can make up as many hosts below it as there are pictures. */
const ONE_SITE = 1 / 2
/** Of the hosts that delivered, the latest are remembered, and of those who had a turn. */
const REMEMBERED = 10_000
/** With what belongs to it no picture takes less: tiny ones would lie here without number. */
const LEAST_BYTES = 16 << 10
/** What one ending weighs in the expectation of the next: some hundred of them make it. */
const WEIGHT = 0.01
/** Of the places of a host, what one listing begins with: a quarter leaves room for three others. */
const FIRST_PLACES = 1 / 4
/** However large the last ones were: so many may begin where nothing is held. */
const SURE = 64

/**
 * A listing goes when all of its hosts have room, so what waits for a slow host stands in nobody's way. One that goes may
 * exceed a bound by its first few pictures: waiting for so many places at once would let small listings pass it for ever.
 *
 * Next is the listing none of whose sites, nor its seller, had a turn for longest. So an honest stranger waits for those who
 * are under way and no longer, however much others have waiting; of listings that are all new the one that asks fewest hosts
 * goes first, because a hundred dead names cost their seller no more than one.
 *
 * Of the places at one host, those whose pictures let us wait have a part (places.ts): a marketplace keeps all of its pictures
 * at one host, and whoever has silent paths there holds up nobody else.
 *
 * Silent hosts hold next to nothing, but pictures may come faster than threads read them. So new ones begin only while what
 * is held, and what those under way are expected to bring as the last ones did, is at most half of `bytes`: a flood waits
 * where it costs nothing instead of being fetched in vain. The other half is for those that bring more than was expected.
 */
export function createAdmission({ atOnce, perHost, bytes: most, now }: AdmissionOptions): Admission {
  const places = createPlaces(perHost, now ?? (() => performance.now()))
  const firstPlaces = Math.max(1, Math.floor(perHost * FIRST_PLACES))
  const strangersOf = new Map<string, number>()
  // Whose listing went goes to the end of the Map: of equals who came first.
  const groups = new Map<string, Group>()
  const turns = createLatest<number>(REMEMBERED)
  let turn = 0
  const strangers = Math.max(1, atOnce * STRANGERS)
  const perSite = Math.max(perHost, strangers * ONE_SITE)
  const delivering = createLatest<true>(REMEMBERED)
  let known = 0
  let strange = 0
  let held = 0
  let expected = 0

  const isKnown = ({ hosts }: Group): boolean => hosts.every((host) => delivering.get(host) === true)
  const hasRoom = ({ seller, hosts, sites }: Group, asKnown: boolean): boolean =>
    (asKnown || sites.every((site) => (strangersOf.get(site) ?? 0) < perSite)) &&
    hosts.every((host) => places.hasRoom(seller, host))
  const mayBegin = (isKnown: boolean): boolean =>
    held + (known + strange) * expected <= most / 2 &&
    (isKnown
      ? known + strange < atOnce || known < atOnce * (1 - STRANGERS)
      : known + strange < atOnce && strange < strangers)

  function start(key: string, group: Group, asKnown: boolean): void {
    const [first] = group.waiting
    if (first === undefined) return
    group.waiting.delete(first)
    groups.delete(key)
    if (group.waiting.size > 0) groups.set(key, group)
    turn += 1
    for (const name of group.names) turns.put(name, turn)
    first.go(goingOf(group, first.pictures, asKnown))
  }

  function goingOf({ seller, hosts }: Group, pictures: readonly string[], asKnown: boolean): Going {
    const had = new Map<string, number>()
    // As it stood when it went: what is taken is given back in the same way.
    const standings = new Map<string, Standing>()
    for (const host of hosts) {
      const count = Math.min(firstPlaces, pictures.filter((one) => one === host).length)
      had.set(host, count)
      standings.set(host, places.standing(seller, host))
      take(host, count)
    }
    function take(host: string, count: number): void {
      places.take(seller, host, standings.get(host) ?? 'new', count)
      countPlaces(host, asKnown, count)
    }
    return createGoing({
      places: had,
      more(host) {
        const hasRoom = known + strange < atOnce && places.hasRoom(seller, host)
        if (hasRoom) take(host, 1)
        return hasRoom
      },
      release(host) {
        places.release(seller, host, standings.get(host) ?? 'new')
        countPlaces(host, asKnown, -1)
      },
      onEnded(host, how, bytes) {
        if (how === 'brought') delivering.put(host, true)
        // Its silence costs everybody time: it is a stranger again, whatever it brought before.
        else if (how === 'late') delivering.remove(host)
        places.ended(seller, host, how)
        if (how === 'late') sendBack(seller, host)
        expected = Math.min(most / 2 / SURE, expected + (bytes - expected) * WEIGHT)
        next()
      },
    })
  }

  /** Who waits for a host that rests for its seller would wait in vain. */
  function sendBack(seller: string, host: string): void {
    if (places.resting(seller, host) === undefined) return
    for (const [key, group] of groups) {
      if (group.seller !== seller || !group.hosts.includes(host)) continue
      groups.delete(key)
      for (const { go } of group.waiting) go('rests')
    }
  }

  function countPlaces(host: string, asKnown: boolean, by: number): void {
    if (asKnown) known += by
    else {
      strange += by
      add(strangersOf, siteOf(host), by)
    }
  }

  function next(): void {
    for (const asKnown of [true, false]) {
      while (mayBegin(asKnown)) {
        const chosen = choose(asKnown)
        if (chosen === undefined) break
        start(...chosen, asKnown)
      }
    }
  }

  function choose(asKnown: boolean): [string, Group] | undefined {
    let found: [string, Group] | undefined
    let soonest = Infinity
    for (const [key, group] of groups) {
      if (isKnown(group) !== asKnown) continue
      const last = group.names.reduce((most, name) => Math.max(most, turns.get(name) ?? 0), 0)
      const isSooner = last < soonest || (last === soonest && group.hosts.length < (found?.[1].hosts.length ?? 0))
      if (!isSooner || !hasRoom(group, asKnown)) continue
      found = [key, group]
      soonest = last
    }
    return found
  }

  return {
    begin(pictures, seller, until) {
      if (until.aborted) return Promise.resolve(undefined)
      const hosts = [...new Set(pictures.toSorted())]
      if (hosts.some((host) => places.resting(seller, host) !== undefined)) return Promise.resolve('rests')
      const sites = [...new Set(hosts.map(siteOf))]
      const key = JSON.stringify([seller, ...hosts])
      const names = [...sites.map((site) => `site ${site}`), `seller ${seller}`]
      const group: Group = groups.get(key) ?? { seller, hosts, sites, names, waiting: new Set() }
      groups.set(key, group)
      return new Promise((resolve) => {
        const go = (going: Going | 'rests'): void => {
          until.removeEventListener('abort', leave)
          resolve(going)
        }
        const one = { pictures, go }
        const leave = (): void => {
          group.waiting.delete(one)
          if (group.waiting.size === 0 && groups.get(key) === group) groups.delete(key)
          resolve(undefined)
        }
        until.addEventListener('abort', leave, { once: true })
        group.waiting.add(one)
        // Nobody else could begin before it came, and nothing but its coming has changed.
        const asKnown = isKnown(group)
        if (mayBegin(asKnown) && hasRoom(group, asKnown)) start(key, group, asKnown)
      })
    },
    resting: places.resting,
    hold(bytes) {
      const taken = Math.max(bytes, LEAST_BYTES)
      if (held + taken > most) return undefined
      held += taken
      return () => {
        held -= taken
        next()
      }
    },
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by
  if (sum > 0) counts.set(name, sum)
  else counts.delete(name)
}
