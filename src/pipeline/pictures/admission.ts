// Whose pictures may be asked for now: in turn over hosts, those that deliver before strangers, and no more than memory takes.

/** Said once for each picture: how it ended, with the bytes that it brought. */
export type Ended = (host: string, how: 'brought' | 'late' | 'otherwise', bytes: number) => void

export interface Admission {
  /** Waits until all pictures of one listing may be asked for together: the host of each. */
  begin(hosts: readonly string[]): Promise<Ended>
  /** Takes so many bytes to hand; returns the way to put them down, or undefined where too many are held already. */
  hold(bytes: number): (() => void) | undefined
}

export interface AdmissionOptions {
  /** Pictures under way at once: as many as there are connections, so that nobody waits for one on its own clock. */
  readonly atOnce: number
  /** Of them at one host, which has fewer connections: the others come within the time of the first ones. */
  readonly perHost: number
  /** Bytes that have come and are not read yet. */
  readonly bytes: number
}

/** Listings whose pictures lie on the same hosts. */
interface Group {
  readonly hosts: ReadonlySet<string>
  readonly waiting: Set<{ readonly pictures: readonly string[]; readonly go: (ended: Ended) => void }>
}

/** Whoever makes up hosts without end gets so much of everything; the rest is for hosts that brought something lately. */
const STRANGERS = 3 / 4
/** Of the hosts that delivered, the latest are remembered. */
const HOSTS = 10_000
/** With what belongs to it no picture takes less: tiny ones would lie here without number. */
const LEAST_BYTES = 16 << 10
/** What one ending weighs in the expectation of the next: some hundred of them make it. */
const WEIGHT = 0.01
/** However large the last ones were: so many may begin where nothing is held. */
const SURE = 64

/**
 * A listing goes when all of its hosts have room, so what waits for a slow host stands in nobody's way. One that goes may
 * exceed a bound by its own pictures: waiting for so many places at once would let small listings pass it for ever.
 *
 * Silent hosts hold next to nothing, but pictures may come faster than threads read them. So new ones begin only while what
 * is held, and what those under way are expected to bring as the last ones did, is at most half of `bytes`: a flood waits
 * where it costs nothing instead of being fetched in vain. The other half is for those that bring more than was expected.
 */
export function createAdmission({ atOnce, perHost, bytes: most }: AdmissionOptions): Admission {
  const underWay = new Map<string, number>()
  // Whose listing went goes to the end of the Map: its order is the order of turns.
  const groups = new Map<string, Group>()
  const delivering = new Set<string>()
  let known = 0
  let strange = 0
  let held = 0
  let expected = 0

  const isKnown = ({ hosts }: Group): boolean => [...hosts].every((host) => delivering.has(host))
  const hasRoom = ({ hosts }: Group): boolean => [...hosts].every((host) => (underWay.get(host) ?? 0) < perHost)
  const mayBegin = (isKnown: boolean): boolean =>
    held + (known + strange) * expected <= most / 2 &&
    (isKnown
      ? known + strange < atOnce || known < atOnce * (1 - STRANGERS)
      : known + strange < atOnce && strange < Math.max(1, atOnce * STRANGERS))

  function start(key: string, group: Group, asKnown: boolean): void {
    const [first] = group.waiting
    if (first === undefined) return
    group.waiting.delete(first)
    groups.delete(key)
    if (group.waiting.size > 0) groups.set(key, group)
    for (const host of first.pictures) underWay.set(host, (underWay.get(host) ?? 0) + 1)
    count(asKnown, first.pictures.length)
    first.go((host, how, bytes) => {
      const left = (underWay.get(host) ?? 0) - 1
      if (left > 0) underWay.set(host, left)
      else underWay.delete(host)
      count(asKnown, -1)
      if (how === 'brought') remember(host)
      // Its silence costs everybody time: it is a stranger again, whatever it brought before.
      else if (how === 'late') delivering.delete(host)
      expected = Math.min(most / 2 / SURE, expected + (bytes - expected) * WEIGHT)
      next()
    })
  }

  function count(asKnown: boolean, by: number): void {
    if (asKnown) known += by
    else strange += by
  }

  function remember(host: string): void {
    delivering.delete(host)
    delivering.add(host)
    const [oldest] = delivering.size > HOSTS ? delivering : []
    if (oldest !== undefined) delivering.delete(oldest)
  }

  function next(): void {
    for (const asKnown of [true, false]) {
      // A group that went is met again at the end of the Map.
      for (const [key, group] of groups) {
        if (!mayBegin(asKnown)) break
        if (isKnown(group) === asKnown && hasRoom(group)) start(key, group, asKnown)
      }
    }
  }

  return {
    begin(pictures) {
      const hosts = new Set(pictures.toSorted())
      const key = [...hosts].join(' ')
      const group = groups.get(key) ?? { hosts, waiting: new Set() }
      groups.set(key, group)
      return new Promise((go) => {
        group.waiting.add({ pictures, go })
        next()
      })
    },
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
