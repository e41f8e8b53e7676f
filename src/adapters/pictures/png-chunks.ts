// What chunks of a PNG make of its pixels in a browser: libvips knows neither frames nor gamma nor primaries.
import { inflateSync } from 'node:zlib'
import { areOrdinary, UNSAID } from './colours.ts'
import { isIntact, MOST_CHUNKS } from './png-pixels.ts'

export interface Colouring {
  /** An animation (APNG): browsers show frames that are not in the picture itself. */
  readonly hasMoreFrames: boolean
  /** Samples are light to this power; undefined where they are sRGB or have a profile. */
  readonly gamma: number | undefined
  /** What it says of its colours nobody means so, and what counts of it, decoders do not agree on. */
  readonly isDoubtful: boolean
  /** Its samples are no ordinary sRGB (PQ, HLG, linear light), and browsers show another picture than libvips. */
  readonly isShownOtherwise: boolean
  /** A profile lies there that browsers pass over, because they are told by other means. */
  readonly ignoresProfile: boolean
  /** As it lies there: libpng passes over one of colours in a picture of greys, Chromium does not. */
  readonly profile: Buffer | undefined
}

/**
 * Beside a profile: 0.45455 nearly always, 0.55556 in old files. A browser takes the gamma where the profile is broken; an odd
 * one is then another picture.
 */
const [LEAST_GAMMA, MOST_GAMMA] = [0.35, 0.6] as const

/**
 * White, red, green and blue by x and y, in 100,000ths: where they lie in sRGB, Display P3, Adobe RGB, ProPhoto and what
 * monitors were measured at. Chromium obeys them beside a gamma: green and blue swapped move a hash by 54 bits. What
 * is impossible makes it pass over the gamma too.
 */
const PRIMARIES = [
  [25_000, 40_000],
  [25_000, 45_000],
  [57_000, 75_000],
  [22_000, 40_000],
  [9_000, 36_000],
  [52_000, 87_000],
  [2_000, 20_000],
  [0, 13_000],
] as const

/** Stops at the first pixels: what comes behind them must not change what they mean (PNG, 5.6). */
export function colouredBy(png: Buffer): Colouring {
  let gamma: number | undefined
  let isProfiled = false
  let coded: Coded | undefined
  let isOdd = false
  let isUsual = true
  let frames: number | undefined
  let isFirstFrame = false
  let isOddlyAnimated = false
  let profile: Buffer | 'broken' | undefined
  let hasPalette = false
  let chunks = 0
  for (let at = 8; at + 12 <= png.length && chunks < MOST_CHUNKS; chunks++) {
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT') break
    const end = at + 12 + png.readUInt32BE(at)
    // Browsers differ in which of two counts, and some obey one of another length, or one that is not intact.
    if (type === 'acTL') {
      isOddlyAnimated ||= frames !== undefined || end !== at + 20 || !isIntact(png, at, end)
      frames = end === at + 20 && end <= png.length ? png.readUInt32BE(at + 8) : 0
    } else if (DRAWING.has(type) && !isIntact(png, at, end)) isOdd = true
    else if (COUNTING.has(type) && end > at + 12 && isIntact(png, at, end)) {
      const data = png.subarray(at + 8, end - 4)
      isOdd ||= data.length !== (LENGTHS.get(type) ?? data.length)
      if (type === 'fcTL') isFirstFrame = true
      // The first one counts.
      else if (type === 'gAMA') gamma ??= png.readUInt32BE(at + 8) / 100_000
      else if (type === 'cHRM') isUsual &&= arePrimaries(data)
      else {
        isProfiled = true
        const said = type === 'cICP' ? codedBy(data) : undefined
        coded ??= said
        isOdd ||= said === 'odd'
        // Behind a palette libpng passes over it, and of two Chromium has been seen to take the first.
        if (type === 'iCCP') profile = profile === undefined && !hasPalette ? profileOf(data) : 'broken'
      }
    }
    hasPalette ||= type === 'PLTE'
    at = end
  }
  if (gamma === 0) isUsual = false
  if (isProfiled && gamma !== undefined) isUsual &&= gamma >= LEAST_GAMMA && gamma <= MOST_GAMMA
  return {
    // One frame that is the picture itself is none besides.
    hasMoreFrames: isOddlyAnimated || (frames ?? 0) > 1 || (frames === 1 && !isFirstFrame),
    gamma: isProfiled ? undefined : gamma,
    // The primaries alone change nothing.
    isDoubtful: (gamma !== undefined && !isUsual) || chunks === MOST_CHUNKS,
    isShownOtherwise: isOdd || (profile === 'broken' && coded !== 'ordinary'),
    ignoresProfile: coded === 'ordinary',
    profile: profile === 'broken' ? undefined : profile,
  }
}

type Coded = 'ordinary' | 'unsaid' | 'odd'

/**
 * Primaries, transfer, matrix, full range. Chromium passes over what it does not know, which leaves the profile to speak, and
 * shows nothing of a matrix; others may do otherwise, and nobody writes such.
 */
function codedBy(data: Buffer): Coded {
  const [primaries, transfer, matrix, range] = data
  if (primaries === undefined || transfer === undefined || matrix !== 0 || range !== 1 || data.length !== 4)
    return 'odd'
  if (!areOrdinary({ primaries, transfer })) return 'odd'
  return primaries === UNSAID || transfer === UNSAID ? 'unsaid' : 'ordinary'
}

/** Of print some megabytes. */
const MOST_OF_PROFILE = 4 << 20

/** Behind a name and the way it is packed. Of one that does not unpack to its last byte some take what there is. */
function profileOf(data: Buffer): Buffer | 'broken' {
  const from = data.indexOf(0)
  if (from < 1 || from > 79 || data[from + 1] !== 0) return 'broken'
  try {
    return inflateSync(data.subarray(from + 2), { maxOutputLength: MOST_OF_PROFILE })
  } catch {
    return 'broken'
  }
}

/** Chromium passes over one of another length, others read as far as they need. */
const LENGTHS: ReadonlyMap<string, number> = new Map([
  ['gAMA', 4],
  ['sRGB', 1],
])

/** libvips takes these as they are, browsers only where they are intact. */
const DRAWING: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'iCCP'])
const COUNTING: ReadonlySet<string> = new Set(['fcTL', 'gAMA', 'cHRM', 'iCCP', 'sRGB', 'cICP'])

const arePrimaries = (data: Buffer): boolean =>
  data.length === 4 * PRIMARIES.length &&
  PRIMARIES.every(([least, most], n) => data.readUInt32BE(4 * n) >= least && data.readUInt32BE(4 * n) <= most)
