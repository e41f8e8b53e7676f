// Colour profiles (ICC): whether what a picture's samples mean by one is read alike by browsers and by libvips.
import { areOrdinary } from './colours.ts'

/** Of what is decoded: libvips passes over a profile for another kind, Chromium does not always. */
export type Samples = 'RGB ' | 'GRAY' | 'CMYK'

/** Far more than any has. */
const MOST_TAGS = 200
const NEWEST = 4
/** What pictures are profiled by; a link, an abstract or a named one libvips refuses and Chromium takes. */
const CLASSES: ReadonlySet<string> = new Set(['mntr', 'scnr', 'prtr', 'spac'])
/** Tables, as both read them; `mpet` and the rest only some. */
const TABLES: ReadonlySet<string> = new Set(['mft1', 'mft2', 'mAB '])
const CHANNELS: Readonly<Record<Samples, number>> = { 'RGB ': 3, GRAY: 1, CMYK: 4 }
const CURVES = { 'RGB ': ['rTRC', 'gTRC', 'bTRC'], GRAY: ['kTRC'], CMYK: [] } as const
/** D50 by x, y, z (ICC.1:2022, 7.2.16); Chromium passes over a profile of another, libvips obeys it. */
const [D50, D50_NEAR] = [[0.9642, 1, 0.8249], 0.01] as const
/** Light that half the signal means: 0.18 to 0.29 by gammas from 2.4 to 1.8, which move no hash. */
const [LEAST_MIDDLE, MOST_MIDDLE] = [0.15, 0.3] as const
/** Measured curves dip by noise. */
const DIP = 0.01

/**
 * Whether it is plain in every point where readers differ (Chromium's skcms and libvips' lcms were compared, README): its
 * class, version and illuminant, each tag once, curves that rise, tables in the place where both look first. What is no
 * profile at all both pass over.
 * @param samples what the profile is attached to.
 */
export function isOrdinaryProfile(icc: Uint8Array, samples: Samples): boolean {
  const view = Buffer.from(icc.buffer, icc.byteOffset, icc.byteLength)
  if (view.length < 132 || view.toString('latin1', 36, 40) !== 'acsp' || view.readUInt32BE(0) > view.length) return true
  const space = view.toString('latin1', 16, 20)
  // Left behind where inks were made colours, and obeyed by no reader; of a still AVIF like that Chromium shows nothing.
  if (samples !== space && (space === 'GRAY' || space === 'CMYK')) return true
  if (!isSamples(space) || !CLASSES.has(view.toString('latin1', 12, 16)) || (view[8] ?? 0) > NEWEST) return false
  if (D50.some((one, n) => Math.abs(fixed(view, 68 + 4 * n) - one) > D50_NEAR)) return false
  const tags = tagsOf(view)
  if (tags === undefined) return false
  const cicp = tags.get('cicp')
  const [primaries, transfer] = cicp?.subarray(8, 10) ?? []
  if (cicp !== undefined && (primaries === undefined || transfer === undefined)) return false
  if (primaries !== undefined && transfer !== undefined && !areOrdinary({ primaries, transfer })) return false
  const curves = CURVES[space].flatMap((name) => tags.get(name) ?? []).map(curveOf)
  if (!curves.every(rises)) return false
  const table = tags.get('A2B0')
  const hasTables = table !== undefined || tags.has('A2B1')
  if (space !== samples)
    return !hasTables && curves.length > 0 && curves.every((curve) => isBetween(curve(0.5), LEAST_MIDDLE, MOST_MIDDLE))
  if (!hasTables) return true
  // libvips looks for a table of its own intent only; of greys it takes none.
  return table !== undefined && space !== 'GRAY' && isTable(table, CHANNELS[space])
}

const isSamples = (space: string): space is Samples => space in CHANNELS
const fixed = (view: Buffer, at: number): number => view.readInt32BE(at) / 65_536
const isBetween = (value: number, least: number, most: number): boolean => value >= least && value <= most
const isTable = (table: Buffer, channels: number): boolean =>
  TABLES.has(table.toString('latin1', 0, 4)) && table[8] === channels && table[9] === 3

/** undefined where one comes twice, of which readers take different ones. What lies beyond the end is left out. */
function tagsOf(view: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const count = view.readUInt32BE(128)
  if (count > MOST_TAGS) return undefined
  const tags = new Map<string, Buffer>()
  for (let at = 132; at < 132 + 12 * count && at + 12 <= view.length; at += 12) {
    const name = view.toString('latin1', at, at + 4)
    if (tags.has(name)) return undefined
    const from = view.readUInt32BE(at + 4)
    tags.set(name, view.subarray(from, from + view.readUInt32BE(at + 8)))
  }
  return tags
}

type Curve = (level: number) => number

/** Of a signal from 0 to 1 the light (ICC.1:2022, 10.6 and 10.18); not a number where it makes no sense. */
function curveOf(tag: Buffer): Curve {
  const kind = tag.toString('latin1', 0, 4)
  if (kind === 'curv' && tag.length >= 12) {
    const count = tag.readUInt32BE(8)
    if (tag.length < 12 + 2 * count) return () => NaN
    if (count === 0) return (level) => level
    if (count === 1) return powerOf(tag.readUInt16BE(12) / 256)
    return (level) => tag.readUInt16BE(12 + 2 * Math.round(level * (count - 1))) / 65_535
  }
  if (kind !== 'para' || tag.length < 12) return () => NaN
  const parameters = [1, 3, 4, 5, 7][tag.readUInt16BE(8)] ?? 0
  if (parameters === 0 || tag.length < 12 + 4 * parameters) return () => NaN
  const [g = 0, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from({ length: parameters }, (_, n) =>
    fixed(tag, 12 + 4 * n),
  )
  if (parameters === 1) return powerOf(g)
  // The two in between begin where their base is zero; the third number of the second is added everywhere.
  const [from, slope, above, below] =
    parameters === 3 ? [-b / a, 0, 0, 0] : parameters === 4 ? [-b / a, 0, c, c] : [d, c, e, f]
  // What Chromium takes for malformed, whereupon it passes over the whole profile.
  if (g <= 0 || a <= 0 || slope < 0 || from < 0 || a * from + b < -1 / 65_536) return () => NaN
  return (level) => (level >= from ? Math.max(0, a * level + b) ** g + above : slope * level + below)
}

const powerOf =
  (gamma: number): Curve =>
  (level) =>
    gamma > 0 ? level ** gamma : NaN

/** Every level of 8 bits. */
const STEPS = 255

/** Where more is not less light, and all of it is light. */
function rises(curve: Curve): boolean {
  let highest = curve(0)
  for (let step = 1; step <= STEPS; step++) {
    const light = curve(step / STEPS)
    if (!(light >= highest - DIP)) return false
    highest = Math.max(highest, light)
  }
  return highest > curve(0) + DIP
}

const ICC_PROFILE = Buffer.from('ICC_PROFILE\0', 'latin1')
const [APP2, SOS] = [0xe2, 0xda] as const

/**
 * Whether the pieces of a JPEG's profile are as they must be: numbered from 1, each once, of as many as there are. Chromium
 * passes over others, libvips puts together what there is.
 */
export function hasWholeProfile(jpeg: Buffer): boolean {
  const numbers: number[] = []
  const counts = new Set<number>()
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff;) {
    const marker = jpeg[at + 1] ?? 0
    if (marker === SOS) break
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === APP2 && jpeg.subarray(at + 4, at + 16).equals(ICC_PROFILE)) {
      numbers.push(jpeg[at + 16] ?? 0)
      counts.add(jpeg[at + 17] ?? 0)
    }
    at += 2 + jpeg.readUInt16BE(at + 2)
  }
  const sorted = numbers.toSorted((a, b) => a - b)
  return (
    numbers.length === 0 || (counts.size === 1 && counts.has(numbers.length) && sorted.every((n, i) => n === i + 1))
  )
}
