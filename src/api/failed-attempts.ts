// Counts failed sign-ins and unknown keys by address: who only fails is told to wait, who has a valid key never notices.

/** Failed attempts of one address in a window before it is asked to wait. */
export const MAX_FAILURES = 30
const WINDOW_MS = 60_000
/** Addresses remembered: some megabytes at most; when they are more, all are forgotten rather than memory growing. */
const ADDRESSES = 10_000

export interface FailedAttempts {
  /** Seconds that the address has to wait, or undefined. */
  wait(address: string): number | undefined
  count(address: string): void
}

export function createFailedAttempts(now: () => number = Date.now): FailedAttempts {
  const failures = new Map<string, { count: number; until: number }>()
  const find = (address: string) => {
    const entry = failures.get(groupOf(address))
    return entry === undefined || entry.until <= now() ? undefined : entry
  }
  return {
    wait(address) {
      const entry = find(address)
      return entry === undefined || entry.count < MAX_FAILURES ? undefined : Math.ceil((entry.until - now()) / 1000)
    },
    count(address) {
      const entry = find(address)
      if (entry !== undefined) {
        entry.count += 1
        return
      }
      if (failures.size >= ADDRESSES) failures.clear()
      failures.set(groupOf(address), { count: 1, until: now() + WINDOW_MS })
    },
  }
}

/** One IPv6 subscriber holds a /64 at least: its first four groups stand for it. */
function groupOf(address: string): string {
  return address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address
}
