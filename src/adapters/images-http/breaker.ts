// Which origins (scheme, host and port) are taken for dead: they cost nobody time until one request, alone, has found them alive.
export interface Breaker {
  /** Seconds that the host is left alone for; undefined when it may be asked. */
  resting(host: string): number | undefined
  /** Before a request; undefined when it may not be sent now. Exactly one call of the trial must follow. */
  begin(host: string): Trial | undefined
  /** Hosts of which anything is remembered. */
  readonly size: number
}

export interface Trial {
  /** The host answered, with whatever: an error page is not a dead host, and costs no time. */
  heard(): void
  /** It said nothing until the time was up, or for a good part of it. */
  silent(): void
  /** Ended before anything could be known. */
  unknown(): void
}

/** In a row, nothing heard between: one lost connection says nothing. */
const FAILURES = 3
const FIRST_REST_MS = 15_000
/** A host that comes back is found within this. */
const LONGEST_REST_MS = 300_000
/** Strangers can name as many hosts as they like; of these the latest are remembered. */
const HOSTS = 10_000

interface State {
  failures: number
  restMs: number
  restsUntil: number
  probing: boolean
}

/** @param now milliseconds that only rise. */
export function createBreaker(now: () => number, onDead: (host: string) => void): Breaker {
  const hosts = new Map<string, State>()
  const isDead = (state: State | undefined): state is State => state !== undefined && state.failures >= FAILURES
  const resting = (host: string): number | undefined => {
    const state = hosts.get(host)
    if (!isDead(state)) return undefined
    const left = state.restsUntil - now()
    return left > 0 || state.probing ? Math.max(1, Math.ceil(left / 1000)) : undefined
  }

  function fail(host: string, probe: boolean): void {
    const state = hosts.get(host) ?? { failures: 0, restMs: 0, restsUntil: 0, probing: false }
    // Those that were under way when it was found dead tell nothing new.
    if (isDead(state) && !probe) return
    state.failures += 1
    if (probe) state.probing = false
    if (isDead(state)) {
      if (state.restMs === 0) onDead(host)
      state.restMs = Math.min(LONGEST_REST_MS, state.restMs === 0 ? FIRST_REST_MS : state.restMs * 2)
      state.restsUntil = now() + state.restMs
    }
    hosts.delete(host)
    hosts.set(host, state)
    const [oldest] = hosts.keys()
    if (hosts.size > HOSTS && oldest !== undefined) hosts.delete(oldest)
  }

  return {
    get size() {
      return hosts.size
    },
    resting,
    begin(host) {
      if (resting(host) !== undefined) return undefined
      const state = hosts.get(host)
      const probe = isDead(state)
      if (probe) state.probing = true
      return {
        heard: () => void hosts.delete(host),
        silent: () => fail(host, probe),
        unknown() {
          if (probe) state.probing = false
        },
      }
    },
  }
}
