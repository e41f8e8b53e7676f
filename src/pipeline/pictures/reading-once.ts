// The same bytes are read once: for all who ask at the same time, and for those who show them again later.
import { isPassing, type Picture } from '../../imaging/picture.ts'

/** Sellers show the same picture again and again; with its eight hashes one takes about a kilobyte. */
const REMEMBERED = 10_000

/**
 * Calls `work` unless it is known, or just being found out, what the bytes with that hash are. A bomb that was refused is
 * remembered as well; what only had no time is tried anew by everybody who waited for it, in the time that is theirs.
 */
export function createReadingOnce(): (sha256: string, work: () => Promise<Picture>) => Promise<Picture> {
  const remembered = new Map<string, Picture>()
  const underWay = new Map<string, Promise<Picture>>()

  async function readIt(sha256: string, work: () => Promise<Picture>): Promise<Picture> {
    const picture = await work()
    if (isPassing(picture)) return picture
    const [oldest] = remembered.size >= REMEMBERED ? remembered.keys() : []
    if (oldest !== undefined) remembered.delete(oldest)
    remembered.set(sha256, picture)
    return picture
  }

  return async (sha256, work) => {
    const known = remembered.get(sha256) ?? underWay.get(sha256)
    if (known !== undefined) {
      // No turn of the loop between looking and reading, or all who come together would read.
      const picture = await known
      if (!isPassing(picture)) return picture
    }
    const reading = readIt(sha256, work)
    underWay.set(sha256, reading)
    try {
      return await reading
    } finally {
      if (underWay.get(sha256) === reading) underWay.delete(sha256)
    }
  }
}
