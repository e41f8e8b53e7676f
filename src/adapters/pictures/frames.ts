// Which frames of an animation are looked at: all that differ, or what people see most of it, within what one picture may cost.
import type { Pixels } from './messages.ts'

export interface Animation {
  readonly frames: number
  /** Milliseconds, by frame; the last one counts for those behind it. */
  readonly delays: readonly number[]
  /** 0: it begins again for ever. */
  readonly loops: number
  /** Pixels of one frame. */
  readonly area: number
}

/** At most this much is shown as a tenth of a second instead, by every browser. */
const HASTY_MS = 10
const SLOWED_MS = 100

/**
 * A minute at ten frames a second. What goes on for longer is a film, and of tiny frames the limit on pixels alone would let
 * half a million through.
 */
export const MOST_FRAMES = 600

/**
 * Different frames of one animation that are compared with the banks: a full turn of a product takes 24 to 60. Each costs
 * 3 ms to hash, and a look at the banks like a picture of its own.
 */
export const MOST_DIFFERENT = 64

/** Whether all frames are decoded, at once: that costs what the last one alone would. */
export const seesWhole = (frames: number, area: number, most: number): boolean =>
  frames <= MOST_FRAMES && frames * area <= most

/**
 * The frame that is shown longest, the last, the first, and the one in the middle of the time; the place of each once, from 0,
 * what people look at longest first. To see a frame costs all before it: decoders go from one to the next. What would cost
 * more than `most` pixels together is left out; `all` says whether the longest and the last could be had.
 */
export function framesToSee(animation: Animation, most: number): { frames: readonly number[]; all: boolean } {
  const { frames: count, loops, area } = animation
  const last = count - 1
  const times = Array.from({ length: count }, (_, at) => timeOf(animation, at))
  // What is played once or a few times stands at its end for good.
  const longest = loops > 0 ? last : indexOfMost(times)
  let left = most - area
  const can = (frame: number): boolean => {
    const cost = (frame + 1) * area
    if (cost > left) return false
    left -= cost
    return true
  }
  const wanted = [...new Set([longest, last])].filter((frame) => frame !== 0)
  const had = wanted.filter(can)
  const all = had.length === wanted.length
  const seen = new Set(longest === 0 ? [0, ...had] : [...had, 0])
  const middle = middleOf(times)
  if (!seen.has(middle) && can(middle)) seen.add(middle)
  return { frames: [...seen], all }
}

function timeOf({ delays }: Animation, at: number): number {
  const ms = delays[at] ?? delays.at(-1) ?? 0
  return ms <= HASTY_MS ? SLOWED_MS : ms
}

function indexOfMost(times: readonly number[]): number {
  let best = 0
  for (const [at, ms] of times.entries()) if (ms > (times[best] ?? 0)) best = at
  return best
}

function middleOf(times: readonly number[]): number {
  let left = times.reduce((sum, ms) => sum + ms, 0) / 2
  return Math.max(
    0,
    times.findIndex((ms) => (left -= ms) < 0),
  )
}

/** Cells a side: twice as many as the hash has frequencies, so that what it could tell apart differs here. */
const CELLS = 32
/** Grey levels of 255. A frame that is this near to another one in every cell looks the same to people too. */
const SAME = 2

/** Tells of frame after frame whether it is unlike all that it said so of before: 1 ms, where a hash takes 3. */
export function createTellingApart(): (frame: Pixels) => boolean {
  const seen: Uint8Array[] = []
  return (frame) => {
    const thumbnail = thumbnailOf(frame)
    if (seen.some((other) => isSame(other, thumbnail))) return false
    seen.push(thumbnail)
    return true
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((level, at) => Math.abs(level - (b[at] ?? 0)) <= SAME)

/** The mean of every pixel of each cell: a pattern between sampled pixels would be seen by people and not by us. */
function thumbnailOf({ data, width, height, channels }: Pixels): Uint8Array {
  const [across, down] = [Math.min(CELLS, width), Math.min(CELLS, height)]
  const sums = new Float64Array(across * down)
  const counts = new Uint32Array(across * down)
  const columns = Uint16Array.from({ length: width }, (_, x) => Math.floor((x * across) / width))
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor((y * down) / height) * across
    for (let x = 0; x < width; x++, at += channels) {
      const cell = row + (columns[x] ?? 0)
      // Rec. 601 in whole numbers, of 256.
      const grey =
        channels === 1
          ? 256 * (data[at] ?? 0)
          : 77 * (data[at] ?? 0) + 150 * (data[at + 1] ?? 0) + 29 * (data[at + 2] ?? 0)
      sums[cell] = (sums[cell] ?? 0) + grey
      counts[cell] = (counts[cell] ?? 0) + 1
    }
  }
  return Uint8Array.from(sums, (sum, cell) => Math.round(sum / 256 / (counts[cell] ?? 1)))
}
