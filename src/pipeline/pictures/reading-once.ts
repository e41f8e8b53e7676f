// The same bytes are read once: for all who ask at the same time, and for those who show them again later.
import { isPassing, type Picture } from '../../imaging/picture.ts'

/** Sellers show the same picture again and again: 9,300 of one frame, or 170 animations of 64 different ones. */
const REMEMBERED_BYTES = 24 << 20

/** As measured: nine arrays of 32 bytes, each with a buffer of its own as they come from a thread. */
const HASHED_BYTES = 2_300
/** A key of 64 digits, its place in the map, the picture itself, and its message. */
const PICTURE_BYTES = 400

/**
 * Calls `work` unless it is known, or just being found out, what the bytes with that hash are. A bomb that was refused is
 * remembered as well; what only had no time is tried anew by everybody who waited for it, in the time that is theirs.
 */
export function createReadingOnce(): (sha256: string, work: () => Promise<Picture>) => Promise<Picture> {
  const remembered = new Map<string, Picture>()
  const underWay = new Map<string, Promise<Picture>>()
  let bytes = 0

  function remember(sha256: string, picture: Picture): void {
    bytes += bytesOf(picture) - bytesOf(remembered.get(sha256))
    remembered.set(sha256, picture)
    for (const [oldest, forgotten] of remembered) {
      if (bytes <= REMEMBERED_BYTES) break
      bytes -= bytesOf(forgotten)
      remembered.delete(oldest)
    }
  }

  async function readIt(sha256: string, work: () => Promise<Picture>): Promise<Picture> {
    const picture = await work()
    if (!isPassing(picture)) remember(sha256, picture)
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

function bytesOf(picture: Picture | undefined): number {
  if (picture === undefined) return 0
  const hashed = picture.state === 'seen' ? 1 + (picture.frames?.length ?? 0) : 0
  return PICTURE_BYTES + hashed * HASHED_BYTES
}
