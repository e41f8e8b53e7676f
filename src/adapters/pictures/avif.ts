// What decoding an AVIF comes to, by its boxes and before libheif sees it: its own size says little of what lies behind it.
import { BoxFault, ENDS } from './boxes.ts'
import { itemsOf, type Item, type Items } from './avif-items.ts'

/** Of progressive ones, which are shown in steps, each step is a frame. Encoders write up to four. */
const MOST_FRAMES = 4

/** OBU types of AV1 (6.2.2) that make the decoder decode: frame header, frame, tile list. */
const DECODED: ReadonlySet<number> = new Set([3, 6, 8])

/** Pixels that libheif will decode, all tiles and steps counted. */
export interface AvifPixels {
  readonly colours: number
  /** Of the same size: it takes three quarters of what the colours take, and as long again only by more steps. */
  readonly alpha: number
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
    const colours = decodedOf(items, items.primary)
    if (alpha === undefined) return { colours, alpha: 0 }
    const [own, other] = [sizeOf(items.primary), sizeOf(alpha)]
    if (own.width !== other.width || own.height !== other.height)
      throw new BoxFault(`an alpha of ${other.width} × ${other.height} to ${own.width} × ${own.height} pixels`)
    return { colours, alpha: decodedOf(items, alpha) }
  } catch (error) {
    if (error instanceof BoxFault) return { wrong: error.message }
    throw error
  }
}

/** Tiles and alphas with an alpha of their own would be decoded with it: nobody writes such. */
function alphaOf({ primary, items, references }: Items): Item | undefined {
  const alphas: Item[] = []
  const derived = references.filter(({ type }) => type === 'dimg')
  for (const { from, to } of references.filter(({ type }) => type === 'auxl')) {
    const item = items.get(from)
    // Of a thumbnail, say: that is not decoded.
    if (item === undefined || !isAlpha(item)) continue
    if (to.includes(primary.id)) alphas.push(item)
    if (to.some((id) => derived.some(({ to }) => to.includes(id)))) throw new BoxFault('an alpha of a part')
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
  const kind = kinds[0]?.body.toString('latin1') ?? ''
  return kinds.length !== 1 || kind.includes('alpha') || kind.includes('auxid:1')
}

function decodedOf(items: Items, item: Item): number {
  if (item.type === 'av01') return decodedOfCoded(item)
  if (item.type === 'grid') return decodedOfGrid(items, item)
  throw new BoxFault(`a picture of kind ${item.type}; those of kind av01 and grid are decoded`)
}

/** Every tile its own, in as many pixels as there are to cover, but for what the last row and column hang over. */
function decodedOfGrid({ items, references }: Items, grid: Item): number {
  const head = grid.extents[0]
  const rows = (head?.[2] ?? 0) + 1
  const columns = (head?.[3] ?? 0) + 1
  const derived = references.filter(({ type, from }) => type === 'dimg' && from === grid.id)
  const [tiles, ...more] = derived.map(({ to }) => to)
  if (tiles === undefined || more.length > 0 || tiles.length !== rows * columns || new Set(tiles).size < tiles.length)
    throw new BoxFault(`a grid of ${columns} × ${rows} without a tile of its own for each place`)
  const out = sizeOf(grid)
  let pixels = 0
  for (const id of tiles) {
    const tile = items.get(id)
    if (tile?.type !== 'av01') throw new BoxFault('a grid of something else than AV1 images')
    const { width, height } = sizeOf(tile)
    if ((columns - 1) * width >= out.width || (rows - 1) * height >= out.height)
      throw new BoxFault(
        `a grid of ${columns} × ${rows} tiles of ${width} × ${height} for ${out.width} × ${out.height}`,
      )
    pixels += decodedOfCoded(tile)
  }
  return pixels
}

/** libheif lets the decoder make no more pixels at a time than the box says. */
function decodedOfCoded(item: Item): number {
  const { width, height } = sizeOf(item)
  const configurations = item.properties.filter(({ type }) => type === 'av1C')
  if (configurations.length !== 1) throw new BoxFault(`an AV1 image with ${configurations.length} configurations`)
  // Behind its four bytes a configuration may hold frames as well, which are decoded before the others.
  const frames = framesIn([...configurations.map(({ body }) => body.subarray(4)), ...item.extents])
  return width * height * Math.max(1, frames)
}

function sizeOf({ properties }: Item): { readonly width: number; readonly height: number } {
  // Scaling would make it larger than this once it is decoded.
  if (properties.some(({ type }) => type === 'iscl')) throw new BoxFault('a picture that is to be scaled')
  const [size, ...more] = properties.filter(({ type }) => type === 'ispe')
  if (size === undefined || more.length > 0 || size.body.length < 8) throw new BoxFault('a picture without one size')
  return { width: size.body.readUInt32BE(0), height: size.body.readUInt32BE(4) }
}

/** The decoder takes all that there are, one after the other, for the last one to be shown. */
function framesIn(parts: readonly Buffer[]): number {
  let frames = 0
  for (const obus of parts) {
    for (let at = 0; at < obus.length;) {
      const head = obus[at] ?? 0
      at += (head & 4) === 4 ? 2 : 1
      if (DECODED.has((head >> 3) & 15) && ++frames > MOST_FRAMES)
        throw new BoxFault(`more than ${MOST_FRAMES} frames in one image`)
      // Without a size it goes on to the end.
      if ((head & 2) === 0) break
      let size = 0
      for (let shift = 0; shift < 8; shift++) {
        const byte = obus[at++]
        if (byte === undefined) throw new BoxFault(ENDS)
        size += (byte & 127) * 128 ** shift
        if (byte < 128) break
      }
      at += size
    }
  }
  return frames
}
