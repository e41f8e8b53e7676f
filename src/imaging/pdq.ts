// PDQ, Meta's perceptual hash: 256 bits that stay nearly the same when a picture is scaled, re-encoded or brightened.
import type { PdqHash } from './picture.ts'
import { variantsOf } from './pdq-frequencies.ts'
import { CELLS, shrink, type Pixels } from './pdq-shrink.ts'

export type { Pixels } from './pdq-shrink.ts'

export const PDQ_BYTES = 32

/** Below this Meta advises to drop the hash: too few edges, so that unrelated pictures come near each other. */
const LEAST_QUALITY = 50

/**
 * Standard deviation of the 64 by 64 cells, in grey levels of 255, below which a picture is near-blank. Small things
 * photographed on white have 17 and more; grain, whose many small steps can raise the quality to 100, stays below 4.
 */
const LEAST_DEVIATION = 4

/** Smaller sides have no frequencies to speak of: an empty hash of quality 0, as Meta's. */
const LEAST_SIDE = 5

export interface PictureHash {
  readonly hash: PdqHash
  /** Of the picture turned and mirrored in eight ways (`DIHEDRAL`); the first is `hash.bytes`. */
  readonly variants: readonly Uint8Array[]
  /** Near-blank, or of a quality too low to match anything by. */
  readonly blank: boolean
}

/**
 * The hash of decoded pixels; never throws, whatever the size. About 3 ms for 512 by 512, and not more for larger ones.
 * Give it the picture as it was decoded: one that was shrunk smoothly before hashes 4 to 10 bits apart from Meta's.
 * @source https://github.com/facebook/ThreatExchange/tree/main/pdq (description and C++), BSD
 */
export function pdqOf(pixels: Pixels): PictureHash {
  if (pixels.width < LEAST_SIDE || pixels.height < LEAST_SIDE) {
    const bytes = new Uint8Array(PDQ_BYTES)
    return { hash: { bytes, quality: 0 }, variants: Array.from({ length: 8 }, () => bytes), blank: true }
  }
  const shrunk = shrink(pixels)
  const quality = qualityOf(shrunk.upright)
  const variants = variantsOf(shrunk)
  const [bytes = new Uint8Array(PDQ_BYTES)] = variants
  const blank = quality < LEAST_QUALITY || deviationOf(shrunk.upright) < LEAST_DEVIATION
  return { hash: { bytes, quality }, variants, blank }
}

/** Bits in which two hashes differ, 0 to 256. */
export function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0
  for (let at = 0; at < PDQ_BYTES; at++) {
    let left = (a[at] ?? 0) ^ (b[at] ?? 0)
    for (; left !== 0; left &= left - 1) bits++
  }
  return bits
}

/** 0 to 100: the sum of the steps between neighbouring cells in hundredths of the range; smaller steps count nothing. */
function qualityOf(cells: Float64Array): number {
  let sum = 0
  for (let at = 0; at < CELLS * CELLS; at++) {
    const here = cells[at] ?? 0
    if (at + CELLS < CELLS * CELLS) sum += stepOf(here, cells[at + CELLS] ?? 0)
    if (at % CELLS !== CELLS - 1) sum += stepOf(here, cells[at + 1] ?? 0)
  }
  // 90 is Meta's scale: tuned by them on photographs.
  return Math.min(100, Math.floor(sum / 90))
}

const stepOf = (a: number, b: number): number => Math.floor((Math.abs(a - b) * 100) / 255)

function deviationOf(cells: Float64Array): number {
  let sum = 0
  let squares = 0
  for (const cell of cells) {
    sum += cell
    squares += cell * cell
  }
  const mean = sum / cells.length
  return Math.sqrt(Math.max(0, squares / cells.length - mean * mean))
}
