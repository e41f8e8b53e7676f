// The sixteen lowest frequencies of a shrunk picture in both directions, and the 256 bits that say which are above the median.
import { CELLS, type Shrunk } from './pdq-shrink.ts'

const SIDE = 16
const COUNT = SIDE * SIDE

/** Rows 1 to 16 of the 64-point cosine transform; the constant row 0 says only how bright a picture is and is left out. */
const COSINES = Float64Array.from({ length: SIDE * CELLS }, (_, at) => {
  const row = Math.floor(at / CELLS)
  const column = at % CELLS
  return Math.sqrt(2 / CELLS) * Math.cos((Math.PI / 2 / CELLS) * (row + 1) * (2 * column + 1))
})

/** 64 by 64 cells → 16 by 16 coefficients, row by row: vertical frequency first. */
function frequencies(cells: Float64Array): Float64Array {
  const half = transform(cells, CELLS)
  return transform(half, SIDE)
}

const MIDDLE = CELLS / 2

/**
 * One pass of the transform, transposed: `lines` columns of 64 → a row of 16 for each. A cosine is the same, or the negative,
 * from the other end: sums and differences of opposite values halve the work.
 */
function transform(from: Float64Array, lines: number): Float64Array {
  const out = new Float64Array(lines * SIDE)
  const sums = new Float64Array(MIDDLE)
  const differences = new Float64Array(MIDDLE)
  for (let line = 0; line < lines; line++) {
    for (let k = 0; k < MIDDLE; k++) {
      const a = from[k * lines + line] ?? 0
      const b = from[(CELLS - 1 - k) * lines + line] ?? 0
      sums[k] = a + b
      differences[k] = a - b
    }
    for (let row = 0; row < SIDE; row += 2) {
      let odd = 0
      let even = 0
      for (let k = 0; k < MIDDLE; k++) {
        odd += (COSINES[row * CELLS + k] ?? 0) * (differences[k] ?? 0)
        even += (COSINES[row * CELLS + CELLS + k] ?? 0) * (sums[k] ?? 0)
      }
      out[line * SIDE + row] = odd
      out[line * SIDE + row + 1] = even
    }
  }
  return out
}

/**
 * The eight ways to turn and mirror a picture, in the order of `variants`. `mirrored`: left and right change places;
 * `flipped`: top and bottom; `transposed`, after those: rows become columns.
 */
export const DIHEDRAL = [
  { name: 'as it is', cells: 'upright', transposed: false },
  { name: 'turned left', cells: 'mirrored', transposed: true },
  { name: 'turned by half', cells: 'both', transposed: false },
  { name: 'turned right', cells: 'flipped', transposed: true },
  { name: 'flipped', cells: 'flipped', transposed: false },
  { name: 'mirrored', cells: 'mirrored', transposed: false },
  { name: 'transposed', cells: 'upright', transposed: true },
  { name: 'transposed and turned by half', cells: 'both', transposed: true },
] as const satisfies readonly { name: string; cells: keyof Shrunk; transposed: boolean }[]

/** 32 bytes for each of `DIHEDRAL`, in the order of Meta's text: the last coefficient is the first bit. */
export function variantsOf(shrunk: Shrunk): readonly Uint8Array[] {
  const known = {
    upright: aboveMedian(shrunk.upright),
    mirrored: aboveMedian(shrunk.mirrored),
    flipped: aboveMedian(shrunk.flipped),
    both: aboveMedian(shrunk.both),
  }
  return DIHEDRAL.map(({ cells, transposed }) => bytesOf(known[cells], transposed))
}

/** For each coefficient 1 where it is above the median: the lower of the two middle ones, as Meta's, so that 128 are above. */
function aboveMedian(cells: Float64Array): Uint8Array {
  const coefficients = frequencies(cells)
  const median = coefficients.toSorted()[COUNT / 2 - 1] ?? 0
  return Uint8Array.from(coefficients, (value) => (value > median ? 1 : 0))
}

/** A transposed picture has the transposed coefficients: windows and cells are made for each axis by itself. */
function bytesOf(bits: Uint8Array, transposed: boolean): Uint8Array {
  const bytes = new Uint8Array(COUNT / 8)
  for (let at = 0; at < COUNT; at++) {
    const from = transposed ? ((at & 15) << 4) | (at >> 4) : at
    const byte = 31 - (at >> 3)
    bytes[byte] = (bytes[byte] ?? 0) | ((bits[from] ?? 0) << (at & 7))
  }
  return bytes
}
