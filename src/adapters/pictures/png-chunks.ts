// What chunks of a PNG make of its pixels in a browser: libvips knows neither frames nor gamma.
import { crc32 } from 'node:zlib'

export interface Colouring {
  /** An animation (APNG): browsers show frames that are not in the picture itself. */
  readonly hasMoreFrames: boolean
  /** Samples are light to this power; undefined where they are sRGB or have a profile. */
  readonly gamma: number | undefined
  /** A gamma that nobody uses, beside a profile: which of the two counts, browsers do not agree on where one is broken. */
  readonly isDoubtful: boolean
}

/** Of real files 0.45455 nearly always, 0.55556 of old ones, 1 of what renders light itself. */
const [LEAST_GAMMA, MOST_GAMMA] = [0.3, 1.2] as const

/** Before the pixels; what is beyond is no picture of anybody. */
const MOST_CHUNKS = 1_000

/** Stops at the first pixels: what comes behind them must not change what they mean (PNG, 5.6). */
export function colouredBy(png: Buffer): Colouring {
  let gamma: number | undefined
  let isProfiled = false
  let frames = 0
  let isFirstFrame = false
  for (let at = 8, chunks = 0; at + 12 <= png.length && chunks < MOST_CHUNKS; chunks++) {
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT') break
    const end = at + 12 + png.readUInt32BE(at)
    if (COUNTING.has(type) && isIntact(png, at, end)) {
      if (type === 'acTL') frames = png.readUInt32BE(at + 8)
      else if (type === 'fcTL') isFirstFrame = true
      else if (type === 'gAMA') gamma = png.readUInt32BE(at + 8) / 100_000
      else isProfiled = true
    }
    at = end
  }
  const isUsual = gamma === undefined || (gamma >= LEAST_GAMMA && gamma <= MOST_GAMMA)
  return {
    // One frame that is the picture itself is none besides.
    hasMoreFrames: frames > 1 || (frames === 1 && !isFirstFrame),
    gamma: isProfiled || gamma === 0 ? undefined : gamma,
    isDoubtful: isProfiled && !isUsual,
  }
}

/** Decoders pass over what is not, and so what it says does not count. The shortest of these has a byte. */
const isIntact = (png: Buffer, at: number, end: number): boolean =>
  end <= png.length && end > at + 12 && crc32(png.subarray(at + 4, end - 4)) === png.readUInt32BE(end - 4)

const COUNTING: ReadonlySet<string> = new Set(['acTL', 'fcTL', 'gAMA', 'iCCP', 'sRGB', 'cICP'])
