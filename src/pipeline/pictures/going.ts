// The pictures of one listing at their hosts: a few of each at once, and more as they come and there is room.
import type { How } from './places.ts'

export interface Going {
  /** Waits for a place at the host among the listing's own pictures; false when the signal was given first. */
  place(host: string, until: AbortSignal): Promise<boolean>
  /** Said once for each place: how its picture ended, with the bytes that it brought. */
  ended(host: string, how: How, bytes: number): void
}

export interface GoingOptions {
  /** Places that it has from the beginning, by host. */
  readonly places: ReadonlyMap<string, number>
  /** Takes one more where there is room. */
  readonly more: (host: string) => boolean
  readonly release: (host: string) => void
  readonly onEnded: (host: string, how: How, bytes: number) => void
}

/** A listing of a hundred silent pictures holds a few places of its host; one whose pictures come soon has many. */
export function createGoing({ places, more, release, onEnded }: GoingOptions): Going {
  const hosts = new Map([...places].map(([host, free]) => [host, { free, waiting: new Set<() => void>() }]))

  const next = (host: string): boolean => {
    const waiting = hosts.get(host)?.waiting
    const [first] = waiting ?? []
    if (first === undefined) return false
    waiting?.delete(first)
    first()
    return true
  }

  return {
    place(name, until) {
      const host = hosts.get(name)
      if (host === undefined) return Promise.resolve(false)
      if (host.free > 0) {
        host.free -= 1
        return Promise.resolve(true)
      }
      if (until.aborted) return Promise.resolve(false)
      return new Promise((resolve) => {
        const leave = (): void => {
          host.waiting.delete(go)
          resolve(false)
        }
        const go = (): void => {
          until.removeEventListener('abort', leave)
          resolve(true)
        }
        until.addEventListener('abort', leave, { once: true })
        host.waiting.add(go)
      })
    },
    ended(host, how, bytes) {
      if (!next(host)) release(host)
      else if (how === 'brought' && (hosts.get(host)?.waiting.size ?? 0) > 0 && more(host)) next(host)
      onEnded(host, how, bytes)
    },
  }
}
