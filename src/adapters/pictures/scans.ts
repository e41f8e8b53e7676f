// How often the decoder of a JPEG goes over the whole picture: a scan takes as little as nine bytes and as long as any.

const [SOF0, SOF2, SOS, EOI] = [0xc0, 0xc2, 0xda, 0xd9] as const
const START_OF_SCAN = Buffer.from([0xff, SOS])

/**
 * 1 for what is decoded as it comes; otherwise markers `SOS`, counted to one more than `most`. Entropy-coded bytes never look
 * like one (B.1.1.5), so that searching for the two bytes finds all; where that finds too many, those behind the end of
 * the picture (a video, a second picture) are left out.
 */
export function scansOf(jpeg: Buffer, most: number): number {
  const first = firstScan(jpeg)
  if (first === undefined) return 1
  let scans = 0
  for (let at = first; at !== -1 && scans <= most; at = jpeg.indexOf(START_OF_SCAN, at + 2)) scans++
  return scans > most ? markedScans(jpeg, first, most) : scans
}

/** Where it begins; undefined where it is the only one that is read: all components at once, not progressive. */
function firstScan(jpeg: Buffer): number | undefined {
  let components = 0
  let isSequential = false
  for (let at = 2; at + 4 <= jpeg.length;) {
    if (jpeg[at] !== 0xff) return at
    const marker = jpeg[at + 1] ?? 0
    // Fill bytes (B.1.1.2).
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === SOS) return isSequential && jpeg[at + 4] === components ? undefined : at
    if (marker >= SOF0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      isSequential = marker < SOF2
      components = jpeg[at + 9] ?? 0
    }
    at += hasLength(marker) ? 2 + jpeg.readUInt16BE(at + 2) : 2
  }
  return undefined
}

/** As libjpeg goes: from marker to marker, over segments by their length, to the end of the picture. */
function markedScans(jpeg: Buffer, first: number, most: number): number {
  let scans = 0
  let at = first
  while (at !== -1 && at + 4 <= jpeg.length && scans <= most) {
    const marker = jpeg[at + 1] ?? 0
    if (marker === EOI) break
    if (marker === SOS) scans++
    // What looks like a marker between 01 and bf is none to libjpeg.
    at = jpeg.indexOf(
      0xff,
      marker >= SOF0 && hasLength(marker) ? at + 2 + jpeg.readUInt16BE(at + 2) : at + (marker === 0xff ? 1 : 2),
    )
  }
  return scans
}

/** All but restarts, begin, end, and stuffed or temporary bytes. */
const hasLength = (marker: number): boolean => marker > 1 && (marker < 0xd0 || marker > EOI)
