// Waiting for what comes by itself: looked at again and again, and what was waited for in vain is said.

/** Far above what any wait takes on a busy machine. */
const PATIENCE_MS = 20_000
const PAUSE_MS = 20

/** What was found: neither `false` nor `undefined`. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
