// A place in the feed of decisions: how far a reader is in every output partition.
import { TouchstoneError } from '../../errors.ts'

/** Position of the last entry read, by partition; 0 is the beginning. */
export type Places = readonly bigint[]

const VERSION = 1
/** Far more partitions than a topic has, and a bound on what a stranger's cursor may cost. */
const MOST_PARTITIONS = 1_024

/** base64url of `[1, position, position, ...]`. Opaque to readers; the version lets the form change. */
export function encodeCursor(places: Places): string {
  return Buffer.from(`[${[VERSION, ...places].join(',')}]`).toString('base64url')
}

/** Throws `bad-cursor` for whatever `encodeCursor` did not write. */
export function decodeCursor(cursor: string): Places {
  const bad = new TouchstoneError('bad-cursor', 'The cursor is not one that this feed gave out')
  if (cursor.length > MOST_PARTITIONS * 24 || !/^[\w-]+$/.test(cursor)) throw bad
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw bad
  }
  if (!Array.isArray(content) || content[0] !== VERSION || content.length > MOST_PARTITIONS + 1) throw bad
  const places = content.slice(1).map((place: unknown) => {
    if (typeof place !== 'number' || !Number.isSafeInteger(place) || place < 0) throw bad
    return BigInt(place)
  })
  // One spelling per place, so that what is not ours does not pass by chance.
  if (encodeCursor(places) !== cursor) throw bad
  return places
}
