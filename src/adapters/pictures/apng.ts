// An animated PNG taken apart: each of its frames as a PNG of its own, and how browsers lay them over each other.
import sharp, { type KernelEnum, type Sharp } from 'sharp'
import { framesToSee, MOST_FRAMES } from './frames.ts'
import type { Pixels } from './messages.ts'
import { chunk, isIntact, MOST_PIECES } from './png-pixels.ts'

export interface Apng {
  readonly layers: readonly Layer[]
  /** 0: it begins again for ever. */
  readonly loops: number
  /** The picture itself is none of the frames: only who plays nothing shows it. */
  readonly isPictureApart: boolean
}

interface Layer {
  readonly png: Buffer
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly delayMs: number
  /** What becomes of it before the next: it stays, its place is cleared, or is as before. */
  readonly dispose: number
  /** It replaces what lies there, or lies over it. */
  readonly blend: number
}

interface Control extends Omit<Layer, 'png'> {
  readonly data: Buffer[]
}

/** What frames share with the picture: without these their samples mean something else. */
const SHARED: ReadonlySet<string> = new Set(['PLTE', 'tRNS', 'gAMA', 'cHRM', 'iCCP', 'sRGB', 'cICP', 'sBIT'])
const AS_BEFORE = 2
/** Each frame has them again; a profile has a few kilobytes. */
const MOST_SHARED = 16 << 20

/**
 * undefined of one that is not in every point as the specification has it (PNG 3, 4.9 and 11.3.2.4): what decoders make of
 * that differs.
 */
export function apngOf(png: Buffer): Apng | undefined {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const shared: Buffer[] = []
  const controls: Control[] = []
  let told: { frames: number; loops: number } | undefined
  let [order, hasPicture, isPictureApart] = [0, false, false]
  let [before, pieces] = ['', 0]
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at)
    if (!isIntact(png, at, end)) return undefined
    const [type, data] = [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end - 4)]
    if (type === 'IEND') break
    if ((type === 'IDAT' || type === 'fdAT') && ++pieces > MOST_PIECES) return undefined
    if (type === 'acTL') {
      if (told !== undefined || hasPicture || data.length !== 8 || data.readUInt32BE(0) > MOST_FRAMES) return undefined
      told = { frames: data.readUInt32BE(0), loops: data.readUInt32BE(4) }
    } else if (type === 'fcTL') {
      const control = controlOf(data, width, height)
      if (control === undefined || data.readUInt32BE(0) !== order++) return undefined
      if (!hasPicture && (controls.length > 0 || control.width !== width || control.height !== height)) return undefined
      if (controls.push(control) > MOST_FRAMES) return undefined
    } else if (type === 'IDAT') {
      isPictureApart ||= controls.length === 0
      // Behind its frames, or anything else, there is no more of the picture.
      if (controls.length > 1 || (hasPicture && before !== 'IDAT')) return undefined
      if (!isPictureApart) controls[0]?.data.push(data)
      hasPicture = true
    } else if (type === 'fdAT') {
      const control = controls.at(-1)
      if (!hasPicture || control === undefined || data.length < 4 || data.readUInt32BE(0) !== order++) return undefined
      if (!isPictureApart && controls.length === 1) return undefined
      // Browsers stop where something else lies between.
      if (control.data.length > 0 && before !== 'fdAT') return undefined
      control.data.push(data.subarray(4))
    } else if (SHARED.has(type)) {
      if (hasPicture) return undefined
      shared.push(png.subarray(at, end))
    }
    before = type
    at = end
  }
  if (told?.frames !== controls.length || controls.some(({ data }) => data.length === 0)) return undefined
  if (shared.reduce((sum, { length }) => sum + length, 0) * controls.length > MOST_SHARED) return undefined
  return {
    layers: controls.map(({ data, ...control }) => ({ ...control, png: fileOf(png, shared, control, data) })),
    loops: told.loops,
    isPictureApart,
  }
}

function controlOf(data: Buffer, width: number, height: number): Control | undefined {
  if (data.length !== 26) return undefined
  const [w, h, left, top] = [4, 8, 12, 16].map((at) => data.readUInt32BE(at)) as [number, number, number, number]
  const [over, under] = [data.readUInt16BE(20), data.readUInt16BE(22)]
  const [dispose = 0, blend = 0] = data.subarray(24)
  if (w === 0 || h === 0 || left + w > width || top + h > height || dispose > AS_BEFORE || blend > 1) return undefined
  const delayMs = (1_000 * over) / (under === 0 ? 100 : under)
  return { width: w, height: h, left, top, delayMs, dispose, blend, data: [] }
}

function fileOf(png: Buffer, shared: Buffer[], { width, height }: Omit<Layer, 'png'>, data: Buffer[]): Buffer {
  const head = Buffer.from(png.subarray(16, 29))
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', head),
    ...shared,
    chunk('IDAT', Buffer.concat(data)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** What is shown while each frame stands, on white. `decode` gives red, green, blue and alpha. */
export async function* played(
  { layers }: Apng,
  width: number,
  height: number,
  decode: (png: Buffer) => Promise<Uint8Array>,
): AsyncGenerator<Pixels> {
  const canvas = new Uint8ClampedArray(width * height * 4)
  for (const [n, layer] of layers.entries()) {
    const drawn = await decode(layer.png)
    if (drawn.length !== layer.width * layer.height * 4) throw new Error('a frame of another size')
    const before = layer.dispose === AS_BEFORE && n > 0 ? canvas.slice() : undefined
    draw(canvas, width, layer, drawn)
    yield { data: onWhite(canvas), width, height, channels: 3 }
    if (before !== undefined) canvas.set(before)
    else if (layer.dispose !== 0)
      for (let y = layer.top; y < layer.top + layer.height; y++)
        canvas.fill(0, (y * width + layer.left) * 4, (y * width + layer.left + layer.width) * 4)
  }
}

function draw(canvas: Uint8ClampedArray, across: number, { left, top, width, blend }: Layer, drawn: Uint8Array): void {
  for (let from = 0; from < drawn.length; from += 4) {
    const [x, y] = [(from / 4) % width, Math.floor(from / 4 / width)]
    const to = ((top + y) * across + left + x) * 4
    const alpha = drawn[from + 3] ?? 0
    if (blend === 0 || alpha === 255) {
      for (let i = 0; i < 4; i++) canvas[to + i] = drawn[from + i] ?? 0
      continue
    }
    if (alpha === 0) continue
    const under = ((canvas[to + 3] ?? 0) * (255 - alpha)) / 255
    for (let i = 0; i < 3; i++)
      canvas[to + i] = ((drawn[from + i] ?? 0) * alpha + (canvas[to + i] ?? 0) * under) / (alpha + under)
    canvas[to + 3] = alpha + under
  }
}

function onWhite(canvas: Uint8ClampedArray): Uint8Array {
  const data = new Uint8Array((canvas.length / 4) * 3)
  for (let from = 0, to = 0; from < canvas.length; from += 4) {
    const alpha = canvas[from + 3] ?? 0
    for (let i = 0; i < 3; i++) data[to++] = Math.round(((canvas[from + i] ?? 0) * alpha) / 255 + 255 - alpha)
  }
  return data
}

/** The frames that count most, and the picture itself, which has the place `first`. */
export function framesOf({ layers, loops }: Apng, area: number, most: number, first: number): readonly number[] {
  const delays = layers.map(({ delayMs }) => delayMs)
  return [...new Set([...framesToSee({ frames: layers.length, delays, loops, area }, most).frames, first])]
}

/** Red, green, blue and alpha, eight bits each. */
export async function withAlpha(stored: Sharp): Promise<Uint8Array> {
  const { data, info } = await stored
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels === 4) return data
  if (info.channels !== 2) throw new Error(`${info.channels} channels after conversion`)
  const wide = new Uint8Array(data.length * 2)
  for (let from = 0, to = 0; from < data.length; from += 2) {
    for (let i = 0; i < 3; i++) wide[to++] = data[from] ?? 0
    wide[to++] = data[from + 1] ?? 0
  }
  return wide
}

/** Into `side` by `side`, never enlarged; all of it without. */
export async function shrunk(
  picture: Pixels,
  shrink?: { readonly side: number; readonly fit: 'fill' | 'inside'; readonly kernel: keyof KernelEnum },
): Promise<Pixels> {
  if (shrink === undefined) return picture
  const { data: whole, width, height, channels } = picture
  const { side, fit, kernel } = shrink
  const [across, down] = fit === 'fill' ? [Math.min(width, side), Math.min(height, side)] : [side, side]
  const { data, info } = await sharp(whole, { raw: { width, height, channels } })
    .resize(across, down, { fit, kernel, withoutEnlargement: true })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels }
}
