// Pixels drawn by whole-number formulas, the same as in pdq-vectors.py, and the turns of a picture done on its pixels.
import type { Pixels } from '../../../src/imaging/pdq.ts'

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly seed: number
}

const wave = (n: number, period: number) => Math.floor((Math.abs((n % (2 * period)) - period) * 255) / period)

export function draw({ width, height, channels, seed }: Drawing): Pixels {
  const data = new Uint8Array(width * height * channels)
  let at = 0
  for (let y = 0; y < height; y++) {
    const v = Math.floor((y * 1000) / height)
    for (let x = 0; x < width; x++) {
      const u = Math.floor((x * 1000) / width)
      for (let c = 0; c < channels; c++) {
        const a = wave(u * (3 + (seed % 5)) + v * 2 + c * 90 + seed * 131, 400 + 37 * seed)
        const b = wave(Math.floor((u * u) / 700) + v * (5 + (seed % 3)) + seed * 17, 310 + 11 * seed)
        const d = wave(Math.floor((u * v) / 500) + (c + 1) * v, 170 + 23 * seed)
        data[at++] = Math.floor((a * 3 + b * 3 + d * 2) / 8)
      }
    }
  }
  return { data, width, height, channels: channels === 1 ? 1 : 3 }
}

/** Pixel by pixel: `from` says for a place in the new picture which one of the old stands there. */
function moved(
  picture: Pixels,
  width: number,
  height: number,
  from: (x: number, y: number) => [number, number],
): Pixels {
  const { channels } = picture
  const data = new Uint8Array(picture.data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [oldX, oldY] = from(x, y)
      for (let c = 0; c < channels; c++) {
        data[(y * width + x) * channels + c] = picture.data[(oldY * picture.width + oldX) * channels + c] ?? 0
      }
    }
  }
  return { data, width, height, channels }
}

export const mirror = (p: Pixels) => moved(p, p.width, p.height, (x, y) => [p.width - 1 - x, y])
export const flip = (p: Pixels) => moved(p, p.width, p.height, (x, y) => [x, p.height - 1 - y])
export const transpose = (p: Pixels) => moved(p, p.height, p.width, (x, y) => [y, x])

/** Grey, and as photographs are: many waves, the weaker the finer, so that no frequency is missing and none stands out. */
export function soft(width: number, height: number, seed: number): Pixels {
  let state = seed + 1
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let warm = 0; warm < 8; warm++) random()
  const grey = new Float64Array(width * height)
  for (let n = 0; n < 60; n++) {
    const across = random() * 2 - 1
    const down = random() * 2 - 1
    const cycles = 0.5 + n / 5
    const phase = random() * 6.28
    for (let at = 0; at < grey.length; at++) {
      const x = (at % width) / width
      const y = Math.floor(at / width) / height
      const angle = 6.28 * cycles * (across * x + down * y) + phase
      grey[at] = (grey[at] ?? 0) + Math.cos(angle) / (1 + cycles)
    }
  }
  const most = grey.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
  return { data: Uint8Array.from(grey, (value) => 127.5 + (value / most) * 127), width, height, channels: 1 }
}
