// Who may ask next: a bounded number at once, in turn over sites, and within a site over its hosts.
import { siteOf } from '../../domain/site.ts'

export interface Turns {
  /** Resolves with the way to give the turn back, or with undefined when the signal was given first. */
  take(host: string, signal: AbortSignal): Promise<(() => void) | undefined>
  readonly running: number
  readonly waiting: number
}

interface Host {
  running: number
  /** In the order in which they came. */
  readonly waiting: Set<() => void>
}
interface Site {
  running: number
  readonly hosts: Map<string, Host>
}

/**
 * A slow host fills its own share and no more, and one that has 500 waiting comes as often as one that has a single one. Sites,
 * because a name may have as many hosts below it as its owner likes; a site has at most half of all turns.
 */
export function createTurns({ total, perHost }: { readonly total: number; readonly perHost: number }): Turns {
  const perSite = Math.max(perHost, Math.floor(total / 2))
  // Who had a turn goes to the end of the Map: its order is the order of turns.
  const sites = new Map<string, Site>()
  let running = 0
  let waiting = 0

  function start(): void {
    while (running < total && waiting > 0) {
      const chosen = choose()
      if (chosen === undefined) return
      chosen()
    }
  }

  function choose(): (() => void) | undefined {
    for (const [siteName, site] of sites) {
      if (site.running >= perSite) continue
      for (const [hostName, host] of site.hosts) {
        const [next] = host.waiting
        if (next === undefined || host.running >= perHost) continue
        rotate(site.hosts, hostName, host)
        rotate(sites, siteName, site)
        return next
      }
    }
    return undefined
  }

  return {
    get running() {
      return running
    },
    get waiting() {
      return waiting
    },
    take(name, signal) {
      if (signal.aborted) return Promise.resolve(undefined)
      const siteName = siteOf(name)
      const site = sites.get(siteName) ?? { running: 0, hosts: new Map<string, Host>() }
      sites.set(siteName, site)
      const host = site.hosts.get(name) ?? { running: 0, waiting: new Set<() => void>() }
      site.hosts.set(name, host)
      const tidy = () => {
        if (host.running === 0 && host.waiting.size === 0) site.hosts.delete(name)
        if (site.hosts.size === 0) sites.delete(siteName)
      }
      const count = (by: 1 | -1) => {
        running += by
        site.running += by
        host.running += by
      }
      return new Promise((resolve) => {
        const leave = () => {
          host.waiting.delete(go)
          waiting -= 1
          tidy()
          resolve(undefined)
        }
        const go = () => {
          signal.removeEventListener('abort', leave)
          host.waiting.delete(go)
          waiting -= 1
          count(1)
          let given = false
          resolve(() => {
            if (given) return
            given = true
            count(-1)
            tidy()
            start()
          })
        }
        host.waiting.add(go)
        waiting += 1
        signal.addEventListener('abort', leave, { once: true })
        start()
      })
    },
  }
}

function rotate<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
}
