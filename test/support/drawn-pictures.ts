// Pictures that a test draws itself, pixel by pixel: shapes by a seed, so that their hashes are far apart.
import sharp, { type Sharp } from 'sharp'

const [WIDTH, HEIGHT] = [600, 480]

/** A PNG of 600 by 480 pixels; the same for the same seed. */
export async function drawnPicture(seed: number): Promise<Buffer> {
  let state = seed
  const next = (below: number) => {
    // Mulberry32: neighbouring seeds give unlike pictures.
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3, 0xee)
  for (let shape = 0; shape < 24; shape++) {
    const round = shape % 2 === 1
    const [x, y, r] = [next(WIDTH), next(HEIGHT), 20 + next(round ? 90 : 110)]
    const colour = [next(256), next(256), next(256)]
    for (let row = Math.max(0, y - r); row < Math.min(HEIGHT, y + r); row++)
      for (let column = Math.max(0, x - r); column < Math.min(WIDTH, x + r); column++)
        if (!round || (row - y) ** 2 + (column - x) ** 2 < r * r) pixels.set(colour, (row * WIDTH + column) * 3)
  }
  return await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toBuffer()
}

/** In pixels: as small as photographs of which a halved copy is far from the picture itself. */
export const TEXTURE_SIDE = 240

/** Soft shapes under a fine, bright texture, as woven cloth in the sun: `seed` draws both. */
export function texture(seed: number): Sharp {
  let state = seed
  const drawn = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
  const levels = new Float64Array(TEXTURE_SIDE * TEXTURE_SIDE).fill(190)
  for (const [cell, strength] of [
    [40, 35],
    [3, 150],
  ] as const) {
    const across = Math.ceil(TEXTURE_SIDE / cell) + 2
    const knots = Array.from({ length: across * across }, drawn)
    const knot = (i: number, j: number) => knots[j * across + i] ?? 0
    for (let at = 0; at < levels.length; at++) {
      const [x, y] = [(at % TEXTURE_SIDE) / cell, Math.floor(at / TEXTURE_SIDE) / cell]
      const [i, j] = [Math.floor(x), Math.floor(y)]
      const upper = knot(i, j) * (1 - x + i) + knot(i + 1, j) * (x - i)
      const lower = knot(i, j + 1) * (1 - x + i) + knot(i + 1, j + 1) * (x - i)
      levels[at] = (levels[at] ?? 0) + strength * (upper * (1 - y + j) + lower * (y - j))
    }
  }
  return sharp(Uint8ClampedArray.from(levels), { raw: { width: TEXTURE_SIDE, height: TEXTURE_SIDE, channels: 1 } })
}

export const blankPicture = (): Promise<Buffer> =>
  sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#fefefe' } })
    .png()
    .toBuffer()

/** As a counterfeiter would show it again: a little brighter, half as large, as a JPEG of middling quality. */
export const disguised = (picture: Buffer): Promise<Buffer> =>
  sharp(picture)
    .modulate({ brightness: 1.1 })
    .resize(WIDTH / 2, HEIGHT / 2)
    .jpeg({ quality: 70 })
    .toBuffer()
