// Which frames of an animation are looked at: what people see of it, within what one picture may cost.

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
