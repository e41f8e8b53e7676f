// Follows the decisions: the newest first to begin with, then whatever comes, over one long poll at a time.

const BEGIN_WITH = 500
const WAIT_SECONDS = 30
/** Between two answers: a page that redraws more often than this shows nobody more. */
const PAUSE_MS = 250
const LONGEST_BACKOFF_MS = 15_000

/**
 * @param {{ entries(items: object[]): void, state(name: 'live' | 'lost' | 'signed-out' | 'forbidden', detail?: string): void }} on
 * @returns {{ stop(): void }}
 */
export function follow(on) {
  let cursor
  let failures = 0
  let wake
  const abort = new AbortController()

  const sleep = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  async function once() {
    const query =
      cursor === undefined
        ? `last=${BEGIN_WITH}`
        : `after=${encodeURIComponent(cursor)}&limit=1000&wait=${failures > 0 ? 0 : WAIT_SECONDS}`
    const response = await fetch(`/v1/decisions?${query}`, { signal: abort.signal })
    if (response.status === 401) return on.state('signed-out')
    if (response.status === 403) return on.state('forbidden')
    if (response.status === 410) {
      // We were away for longer than the feed is kept: begin anew.
      cursor = undefined
      return undefined
    }
    if (!response.ok) throw new Error(`the service answered ${response.status}`)
    const { items, next } = await response.json()
    cursor = next
    failures = 0
    on.state('live')
    on.entries(items)
    return undefined
  }

  async function run() {
    while (!abort.signal.aborted) {
      let wait = PAUSE_MS
      try {
        await once()
      } catch (error) {
        if (abort.signal.aborted) return
        failures += 1
        wait = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** failures)
        // The same words every time: an alert that changes is read out again.
        on.state('lost', error instanceof TypeError ? 'the service cannot be reached' : error.message)
      }
      await sleep(wait)
    }
  }

  void run()
  return {
    stop() {
      abort.abort()
      wake?.()
    },
  }
}
