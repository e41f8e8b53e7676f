// A picture as PDQ looks at it: 64 by 64 cells of brightness, each the weighted mean of the pixels around its centre.

/** What a decoder hands over: rows of interleaved 8-bit samples, upright, transparency already laid on white. */
export interface Pixels {
  /** `width * height * channels` samples: red, green, blue or grey. */
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

export const CELLS = 64

/**
 * Meta's tool takes larger pictures down to a square of this side by taking the nearest pixel, without smoothing. Measured
 * here, the hashes of its test pictures then differ from the published ones in 0 to 2 bits; hashed at their full size, or
 * shrunk smoothly, in 4 to 10, and no better under halving, noise or re-encoding. It also bounds the work for any size.
 */
const LARGEST_SIDE = 512

/** Of one axis: for each of the 64 cells the first pixel that counts, and how much it and those after it count. */
type Cells = readonly { readonly first: number; readonly weights: Float64Array }[]

/** `backward` is the same for the mirrored axis, on pixels in the order in which they are. */
interface Axis {
  readonly forward: Cells
  readonly backward: Cells
}

const kept = new Map<number, Axis>()

/**
 * Two passes of a box filter along one axis, then the pixel in the middle of each cell: as one weighted sum a cell, which
 * is what the passes come to. Windows are cut off at the edges, and one of even size reaches further to the right.
 */
function axisOf(length: number): Axis {
  const known = kept.get(length)
  if (known !== undefined) return known
  const window = Math.ceil(length / (2 * CELLS))
  const right = Math.floor(window / 2)
  const left = window - 1 - right
  const spanOf = (centre: number) => ({ from: Math.max(0, centre - left), to: Math.min(length - 1, centre + right) })
  const forward = Array.from({ length: CELLS }, (_, cell) => {
    const outer = spanOf(Math.floor(((cell + 0.5) * length) / CELLS))
    const first = spanOf(outer.from).from
    const weights = new Float64Array(spanOf(outer.to).to - first + 1)
    for (let middle = outer.from; middle <= outer.to; middle++) {
      const inner = spanOf(middle)
      const share = 1 / ((inner.to - inner.from + 1) * (outer.to - outer.from + 1))
      for (let at = inner.from; at <= inner.to; at++) weights[at - first] = (weights[at - first] ?? 0) + share
    }
    return { first, weights }
  })
  const backward = forward.map(({ first, weights }) => ({
    first: length - first - weights.length,
    weights: weights.toReversed(),
  }))
  const axis = { forward, backward }
  // One entry for each side there is: at most 512, of a few kilobytes.
  kept.set(length, axis)
  return axis
}

/** The cells of a picture and of its mirrored forms, row by row, 0 to 255 each. */
export interface Shrunk {
  readonly upright: Float64Array
  /** Left and right have changed places. */
  readonly mirrored: Float64Array
  /** Top and bottom have. */
  readonly flipped: Float64Array
  readonly both: Float64Array
}

/**
 * Works through the rows once, in their order, and holds one of them: no copy of the picture. The mirrored forms have cells
 * of their own because Meta's windows are not symmetric: read off the same cells, their hashes lay 10 to 46 bits from those
 * of pictures that were really mirrored, more than a bank forgives.
 * @source Meta's PDQ: luma, the Jarosz filter in two passes, decimation (pdqhashing.cpp, downscaling.cpp, pdqio.cpp)
 */
export function shrink({ data, width, height, channels }: Pixels): Shrunk {
  const large = width > LARGEST_SIDE || height > LARGEST_SIDE
  const columns = large ? LARGEST_SIDE : width
  const rows = large ? LARGEST_SIDE : height
  const across = axisOf(columns)
  const down = axisOf(rows)
  const source = Int32Array.from({ length: columns }, (_, x) => Math.floor((x * width) / columns) * channels)
  const luma = new Float64Array(columns)
  const line = new Float64Array(CELLS)
  const mirroredLine = new Float64Array(CELLS)
  const [upright, mirrored, flipped, both] = [emptyCells(), emptyCells(), emptyCells(), emptyCells()]
  const downward = sweep(down.forward)
  const upward = sweep(down.backward)
  for (let y = 0; y < rows; y++) {
    readLuma(data, Math.floor((y * height) / rows) * width * channels, source, channels, luma)
    gather(luma, across.forward, line)
    gather(luma, across.backward, mirroredLine)
    downward(y, (cell, weight) => {
      addTo(upright, cell, weight, line)
      addTo(mirrored, cell, weight, mirroredLine)
    })
    upward(y, (cell, weight) => {
      addTo(flipped, cell, weight, line)
      addTo(both, cell, weight, mirroredLine)
    })
  }
  return { upright, mirrored, flipped, both }
}

const emptyCells = () => new Float64Array(CELLS * CELLS)

/** For rows in their order: the rows of cells to which each counts. Neighbours overlap, and in small pictures many share one. */
function sweep(cells: Cells): (y: number, visit: (cell: number, weight: number) => void) => void {
  const inOrder = cells.map((cell, index) => ({ ...cell, index })).toSorted((a, b) => a.first - b.first)
  let ended = 0
  return (y, visit) => {
    for (let at = ended; at < CELLS; at++) {
      const cell = inOrder[at]
      if (cell === undefined || cell.first > y) return
      const weight = cell.weights[y - cell.first]
      if (weight !== undefined) visit(cell.index, weight)
      else if (at === ended) ended++
    }
  }
}

function readLuma(data: Uint8Array, row: number, source: Int32Array, channels: 1 | 3, into: Float64Array): void {
  if (channels === 1) {
    for (let x = 0; x < into.length; x++) into[x] = data[row + (source[x] ?? 0)] ?? 0
    return
  }
  for (let x = 0; x < into.length; x++) {
    const at = row + (source[x] ?? 0)
    into[x] = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
  }
}

function gather(luma: Float64Array, cells: Cells, into: Float64Array): void {
  let to = 0
  for (const { first, weights } of cells) {
    let sum = 0
    for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (luma[first + i] ?? 0)
    into[to++] = sum
  }
}

function addTo(cells: Float64Array, row: number, weight: number, line: Float64Array): void {
  const to = row * CELLS
  for (let x = 0; x < CELLS; x++) cells[to + x] = (cells[to + x] ?? 0) + weight * (line[x] ?? 0)
}
