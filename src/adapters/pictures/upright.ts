// Turns decoded pixels as their EXIF orientation asks: after shrinking, because turning a whole picture needs all of it in memory.
import type { Pixels } from './messages.ts'

/** By orientation: whether the axes are swapped, then whether the stored x and y run backwards. */
const TURNS: Readonly<Record<number, readonly [swapped: boolean, fromRight: boolean, fromBelow: boolean]>> = {
  2: [false, true, false],
  3: [false, true, true],
  4: [false, false, true],
  5: [true, false, false],
  6: [true, false, true],
  7: [true, true, true],
  8: [true, true, false],
}

/** Width and height lie the other way round than stored. */
export const isSwapped = (orientation: number | undefined): boolean => TURNS[orientation ?? 1]?.[0] ?? false

/** Orientation 1 to 8 of EXIF 2.3, tag 0x0112; anything else is taken as upright, as browsers do. */
export function upright(stored: Pixels, orientation: number | undefined): Pixels {
  const turn = TURNS[orientation ?? 1]
  if (turn === undefined) return stored
  const [swapped, fromRight, fromBelow] = turn
  const { width: w, height: h, channels, data } = stored
  const [width, height] = swapped ? [h, w] : [w, h]
  const out = new Uint8Array(data.length)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [across, down] = swapped ? [y, x] : [x, y]
      let from = ((fromBelow ? h - 1 - down : down) * w + (fromRight ? w - 1 - across : across)) * channels
      for (let c = 0; c < channels; c++) out[at++] = data[from++] ?? 0
    }
  }
  return { data: out, width, height, channels }
}
