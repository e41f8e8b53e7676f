// What the frames of a GIF cover of it, counted in its codes: libnsgif leaves black what browsers leave open, and says of no frame that it ends too soon.

export interface GifFrames {
  /** Where no frame is ever drawn, browsers show what lies below (or a larger picture), and libvips black. */
  readonly isOpen: boolean
  /** Of the whole picture, what the frame lacks that lacks most: 0 to 1. */
  readonly missing: number
}

const [EXTENSION, IMAGE, CONTROL] = [0x21, 0x2c, 0xf9] as const
/** Codes have at most 12 bits. */
const CODES = 4_096

/** As libnsgif goes, to the trailer or whatever is no block; 8 ms a megabyte. Decodes no pixel. */
export function framesOfGif(gif: Buffer): GifFrames {
  const [width, height] = [wordAt(gif, 6), wordAt(gif, 8)]
  const lengths = new Uint16Array(CODES)
  let [isFirst, isCovered, isTransparent, missing] = [true, true, false, 0]
  for (let at = 13 + tableOf(gif[10]); at < gif.length;) {
    if (gif[at] === EXTENSION) {
      if (gif[at + 1] === CONTROL && gif[at + 2] === 4) isTransparent ||= ((gif[at + 3] ?? 0) & 1) === 1
      at = behindBlocks(gif, at + 2)
    } else if (gif[at] === IMAGE) {
      const [left, top, across, down] = [1, 3, 5, 7].map((n) => wordAt(gif, at + n)) as [number, number, number, number]
      if (isFirst) isCovered = left === 0 && top === 0 && across >= width && down >= height
      const [codes, area] = [at + 10 + tableOf(gif[at + 9]), across * down]
      const lacks = area - pixelsOf(gif, codes, area, lengths)
      missing = Math.max(missing, lacks / Math.max(width * height, isFirst ? area : 1, 1))
      isFirst = false
      at = behindBlocks(gif, codes + 1)
    } else break
  }
  return { isOpen: !isCovered && !isTransparent, missing: Math.min(1, missing) }
}

const wordAt = (gif: Buffer, at: number): number => (gif[at] ?? 0) | ((gif[at + 1] ?? 0) << 8)

/** Bytes of the table of colours that these flags announce. */
const tableOf = (flags = 0): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

function behindBlocks(gif: Buffer, from: number): number {
  let at = from
  for (let size = gif[at]; size !== undefined && size > 0; size = gif[at]) at += size + 1
  return at + 1
}

/** That the codes of one frame stand for, no more than `most`: each for one more than the code that it was made from (LZW). */
function pixelsOf(gif: Buffer, from: number, most: number, lengths: Uint16Array): number {
  const least = gif[from] ?? 0
  if (least > 11) return 0
  const [clear, end] = [1 << least, (1 << least) + 1]
  let [size, next, before, pixels] = [least + 1, end + 1, 0, 0]
  let [held, bits] = [0, 0]
  for (let block = from + 1, left = gif[block]; left !== undefined && left > 0; left = gif[block]) {
    const until = Math.min(block + 1 + left, gif.length)
    for (let at = block + 1; at < until; at++) {
      held |= (gif[at] ?? 0) << bits
      bits += 8
      while (bits >= size) {
        const code = held & ((1 << size) - 1)
        held >>>= size
        bits -= size
        if (code === end) return pixels
        if (code === clear) {
          ;[size, next, before] = [least + 1, end + 1, 0]
          continue
        }
        const length = code < clear ? 1 : code < next ? (lengths[code] ?? 0) : before + 1
        // The first code is a colour, and none lies beyond the next.
        if (code > next || (before === 0 && code > clear)) return pixels
        pixels += length
        if (pixels >= most) return most
        if (before > 0 && next < CODES) {
          lengths[next++] = before + 1
          if (next === 1 << size && size < 12) size++
        }
        before = length
      }
    }
    block = block + 1 + left
  }
  return pixels
}
