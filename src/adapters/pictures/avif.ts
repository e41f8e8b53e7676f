// What decoding an AVIF comes to, by its boxes and before libheif sees it: its own size says little of what lies behind it.
import { unitsOf, type Units } from './av1.ts'
import { itemsOf, type Item, type Items } from './avif-items.ts'
import { BoxFault, numbersOf } from './boxes.ts'
import { areOrdinary } from './colours.ts'

/** Of progressive ones, which are shown in steps, each step is a frame. Encoders write up to four. */
const MOST_FRAMES = 4
/** Tiles that are alike may lie in the file once (libavif): a flat one of 512 pixels has some hundred bytes, a photograph is never twice the same. */
const MOST_SHARED = 16 << 20
/** The names of kinds of auxiliary pictures have up to 50. */
const MOST_OF_KIND = 256

/** Pixels that libheif will decode, all tiles and steps counted. */
export interface AvifPixels {
  readonly colours: number
  /** Of the same size: it takes three quarters of what the colours take, and as long again only by more steps. */
  readonly alpha: number
  /** Its samples are no ordinary sRGB, and browsers show another picture than libvips. */
  readonly isShownOtherwise: boolean
}

interface Decoded {
  readonly pixels: number
  readonly isOrdinary: boolean
}

/**
 * Or what is wrong, for analysts. A picture is one AV1 image, or a grid of them that covers it once (Paint.NET and Android
 * write those), and at most one alpha of the same size, made likewise. Whatever else lies in the file (thumbnails, Exif, gain
 * maps) is not decoded.
 */
export function pixelsOfAvif(file: Buffer): AvifPixels | { readonly wrong: string } {
  try {
    const items = itemsOf(file)
    const alpha = alphaOf(items)
    const unitsIn = readOnce(file.length)
    const { pixels: colours, isOrdinary } = decodedOf(items, items.primary, unitsIn)
    const isShownOtherwise = !isOrdinary || isCropped(items.primary)
    if (alpha === undefined) return { colours, alpha: 0, isShownOtherwise }
    const [own, other] = [sizeOf(items.primary), sizeOf(alpha)]
    if (own.width !== other.width || own.height !== other.height)
      throw new BoxFault(`an alpha of ${other.width} × ${other.height} to ${own.width} × ${own.height} pixels`)
    return { colours, alpha: decodedOf(items, alpha, unitsIn).pixels, isShownOtherwise }
  } catch (error) {
    if (error instanceof BoxFault) return { wrong: error.message }
    throw error
  }
}

/** Tiles and alphas with an alpha of their own would be decoded with it: nobody writes such. */
function alphaOf({ primary, items, references }: Items): Item | undefined {
  const alphas: Item[] = []
  const parts = new Set(references.flatMap(({ type, to }) => (type === 'dimg' ? to : [])))
  for (const { from, to } of references.filter(({ type }) => type === 'auxl')) {
    const item = items.get(from)
    // Of a thumbnail, say: that is not decoded.
    if (item === undefined || !isAlpha(item)) continue
    if (to.includes(primary.id)) alphas.push(item)
    if (to.some((id) => parts.has(id))) throw new BoxFault('an alpha of a part')
  }
  const [alpha, ...more] = alphas
  if (more.length > 0) throw new BoxFault('more than one alpha')
  if (alpha !== undefined && references.some(({ type, to }) => type === 'auxl' && to.includes(alpha.id)))
    throw new BoxFault('an alpha of an alpha')
  return alpha
}

/** Taken for one unless it clearly says otherwise: depth, say, which is not decoded. */
function isAlpha({ properties }: Item): boolean {
  const kinds = properties.filter(({ type }) => type === 'auxC')
  const [{ body } = { body: Buffer.alloc(0) }] = kinds
  // Named by many references, a long one would be searched as often.
  if (kinds.length !== 1 || body.length > MOST_OF_KIND) return true
  const kind = body.toString('latin1')
  return kind.includes('alpha') || kind.includes('auxid:1')
}

type UnitsIn = (item: Item) => Units

/**
 * The units of each image that is decoded, with every byte of the file read once at most: bytes that several images name
 * exactly alike are read for the first of them, and all that is read is no more than the file.
 */
function readOnce(length: number): UnitsIn {
  const known = new Map<string, Units>()
  let [read, decoded] = [0, 0]
  return (item) => {
    const configurations = item.properties.filter(({ type }) => type === 'av1C')
    const [configuration] = configurations
    if (configuration === undefined || configurations.length > 1)
      throw new BoxFault(`an AV1 image with ${configurations.length} configurations`)
    // Behind its four bytes a configuration may hold frames as well, which are decoded before the others; all lie joined there.
    const parts = [configuration.body.subarray(4), ...item.extents]
    const own = parts.reduce((sum, part) => sum + part.length, 0)
    decoded += own
    // A decoder takes them each time.
    if (decoded > length + MOST_SHARED) throw new BoxFault(`${decoded} bytes of images in a file of ${length}`)
    const name = parts.map(nameOf).join()
    let units = known.get(name)
    if (units === undefined) {
      read += own
      if (read > length)
        throw new BoxFault(`images that lie in each other: ${read} bytes of them in a file of ${length}`)
      known.set(name, (units = unitsOf(Buffer.concat(parts), MOST_FRAMES)))
    }
    return units
  }
}

/** Small ones (configurations) may lie in several places and be the same. */
const nameOf = (part: Buffer): string =>
  part.length <= 64 ? part.toString('hex') : `${part.byteOffset}+${part.length}`

function decodedOf(items: Items, item: Item, unitsIn: UnitsIn): Decoded {
  if (item.type === 'av01') return decodedOfCoded(item, unitsIn)
  if (item.type === 'grid') return decodedOfGrid(items, item, unitsIn)
  throw new BoxFault(`a picture of kind ${item.type}; those of kind av01 and grid are decoded`)
}

/** Every tile its own, in as many pixels as there are to cover, but for what the last row and column hang over. */
function decodedOfGrid({ items, references }: Items, grid: Item, unitsIn: UnitsIn): Decoded {
  // Its bytes may be many, and the first four say all.
  const head = Buffer.concat(grid.extents, 4)
  const rows = (head[2] ?? 0) + 1
  const columns = (head[3] ?? 0) + 1
  const derived = references.filter(({ type, from }) => type === 'dimg' && from === grid.id)
  const [tiles, ...more] = derived.map(({ to }) => to)
  if (tiles === undefined || more.length > 0 || tiles.length !== rows * columns || new Set(tiles).size < tiles.length)
    throw new BoxFault(`a grid of ${columns} × ${rows} without a tile of its own for each place`)
  const out = sizeOf(grid)
  let pixels = 0
  let isOrdinary = isNamedOrdinary(grid)
  for (const id of tiles) {
    const tile = items.get(id)
    if (tile?.type !== 'av01') throw new BoxFault('a grid of something else than AV1 images')
    if (turnsOf(tile) > 0) throw new BoxFault('a tile that is to be turned')
    const { width, height } = sizeOf(tile)
    if ((columns - 1) * width >= out.width || (rows - 1) * height >= out.height)
      throw new BoxFault(
        `a grid of ${columns} × ${rows} tiles of ${width} × ${height} for ${out.width} × ${out.height}`,
      )
    const decoded = decodedOfCoded(tile, unitsIn)
    pixels += decoded.pixels
    isOrdinary &&= decoded.isOrdinary
  }
  return { pixels, isOrdinary }
}

/** libheif lets the decoder make no more pixels at a time than the box says. */
function decodedOfCoded(item: Item, unitsIn: UnitsIn): Decoded {
  const { width, height } = sizeOf(item)
  const { frames, odd, isSeveral } = unitsIn(item)
  return {
    pixels: width * height * Math.max(1, frames),
    // Where the box says it, Chromium passes over what AV1 itself says; encoders write the same into both, or nothing.
    isOrdinary: isNamedOrdinary(item) && odd === undefined && !isSeveral,
  }
}

/** By the box `colr`, where it is no profile. Chromium shows nothing of a picture that has two. */
const isNamedOrdinary = ({ properties }: Item): boolean =>
  properties.every(({ type, body }) => {
    if (type !== 'colr' || body.toString('latin1', 0, 4) !== 'nclx') return true
    const numbers = numbersOf(body.subarray(4))
    return areOrdinary({ primaries: numbers.take(2), transfer: numbers.take(2) })
  })

/** Each is done over all pixels, as often as it is named. */
const TURNS = ['irot', 'imir', 'clap'] as const

const turnsOf = ({ properties }: Item): number =>
  properties.filter(({ type }) => TURNS.some((turn) => turn === type)).length

/** A crop that leaves out so little changes no hash by much. */
const MOST_CROPPED = 0.08

/** Chromium obeys only a crop (`clap`) that begins at the corner, and shows all of the picture where there is another one. */
function isCropped(item: Item): boolean {
  const clap = item.properties.find(({ type }) => type === 'clap')
  if (clap === undefined) return false
  if (clap.body.length < 16) return true
  const [across, acrossBy, down, downBy] = [0, 4, 8, 12].map((at) => clap.body.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ]
  const { width, height } = sizeOf(item)
  // Of nothing it is endless, or no number.
  const kept = (across / acrossBy) * (down / downBy)
  return !Number.isFinite(kept) || kept < (1 - MOST_CROPPED) * width * height
}

function sizeOf(item: Item): { readonly width: number; readonly height: number } {
  const { properties } = item
  for (const turn of TURNS)
    if (properties.filter(({ type }) => type === turn).length > 1) throw new BoxFault(`more than one ${turn}`)
  // Scaling would make it larger than this once it is decoded.
  if (properties.some(({ type }) => type === 'iscl')) throw new BoxFault('a picture that is to be scaled')
  const [size, ...more] = properties.filter(({ type }) => type === 'ispe')
  if (size === undefined || more.length > 0 || size.body.length < 8) throw new BoxFault('a picture without one size')
  return { width: size.body.readUInt32BE(0), height: size.body.readUInt32BE(4) }
}
