// The boxes of an ISO base media file, read where a stranger's AVIF must be measured before any decoder sees it.

/** What is not as it must be; the message is for analysts. */
export class BoxFault extends Error {}

export interface Box {
  readonly type: string
  /** Behind the header; of a full box behind its version and flags too. */
  readonly body: Buffer
  readonly version: number
  readonly flags: number
}

/** Real files have about twenty in `meta`, grids a few for each tile. */
const MOST_BOXES = 4_000

/** Of these the body begins with a version and flags. */
const FULL: ReadonlySet<string> = new Set(['meta', 'pitm', 'iloc', 'iinf', 'infe', 'iref', 'ispe', 'ipma', 'auxC'])

/** Side by side, at most 4,000. @throws BoxFault where one is larger than what is left, unless the rest is `cut`. */
export function boxesOf(bytes: Buffer, rest: 'whole' | 'cut' = 'whole'): Box[] {
  const boxes: Box[] = []
  for (let at = 0; at < bytes.length;) {
    if (boxes.length === MOST_BOXES) throw new BoxFault(`more than ${MOST_BOXES} boxes`)
    if (at + 8 > bytes.length) {
      if (rest === 'cut') break
      throw new BoxFault(ENDS)
    }
    const type = bytes.toString('latin1', at + 4, at + 8)
    let [size, header] = [bytes.readUInt32BE(at), 8]
    if (size === 1) {
      if (at + 16 > bytes.length) throw new BoxFault(ENDS)
      size = Number(bytes.readBigUInt64BE(at + 8))
      header = 16
    } else if (size === 0) size = bytes.length - at
    if (size < header) throw new BoxFault(`a box of ${size} bytes`)
    if (at + size > bytes.length) {
      // The head of a picture alone is none, and `meta` cannot be read without its end.
      if (rest === 'cut' && type !== 'meta') break
      throw new BoxFault(ENDS)
    }
    const body = bytes.subarray(at + header, at + size)
    const isFull = FULL.has(type)
    if (isFull && body.length < 4) throw new BoxFault(ENDS)
    boxes.push(
      isFull
        ? { type, body: body.subarray(4), version: body[0] ?? 0, flags: body.readUInt32BE(0) & 0xffffff }
        : { type, body, version: 0, flags: 0 },
    )
    at += size
  }
  return boxes
}

/** As libheif says it, and people who send the file. */
export const ENDS = 'unexpected end of file'

/** Big-endian numbers one after the other. */
export function numbersOf(body: Buffer): { take(bytes: number): number; skip(bytes: number): void; left(): Buffer } {
  let at = 0
  return {
    take(bytes) {
      if (at + bytes > body.length) throw new BoxFault(ENDS)
      let value = 0
      // Up to eight bytes; beyond 2^53 the value is wrong, and larger than any file all the same.
      const end = at + bytes
      for (; at < end; at++) value = value * 256 + (body[at] ?? 0)
      return value
    },
    skip(bytes) {
      at += bytes
    },
    left: () => body.subarray(at),
  }
}
