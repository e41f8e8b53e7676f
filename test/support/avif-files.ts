// AVIF files put together box by box, so that a test can say what no encoder would.
import sharp from 'sharp'

type Part = Uint8Array | readonly number[]

export function box(type: string, ...parts: readonly Part[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Uint8Array.from(part)))
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body])
}
export const full = (type: string, version: number, ...parts: readonly Part[]): Buffer =>
  box(type, [version, 0, 0, 0], ...parts)
export const u16 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])))
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const ispe = (width: number, height: number): Buffer => full('ispe', 0, u32(width), u32(height))
export const ALPHA = full('auxC', 0, Buffer.from('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0'))
const PIXI = full('pixi', 0, [3, 8, 8, 8])

export interface MadeItem {
  readonly type: string
  readonly data: Uint8Array
  readonly properties: readonly Buffer[]
}

export interface MadeReference {
  readonly type: string
  readonly from: number
  readonly to: readonly number[]
}

/** Items are numbered from 1; their bytes lie behind `meta`, or `within` it as cameras place what a grid says. */
export function avifOf(
  items: readonly MadeItem[],
  references: readonly MadeReference[] = [],
  primary = 1,
  within = false,
): Buffer {
  const bytes = Buffer.concat(items.map(({ data }) => data))
  const ftyp = box('ftyp', Buffer.from('avif'), u32(0), Buffer.from('avifmif1miafMA1B'))
  const properties = items.flatMap((item) => item.properties)
  const metaAt = (first: number): Buffer => {
    let [at, next] = [within ? 0 : first, 1]
    const places = items.map(({ data }, n) => {
      const place = Buffer.concat([u16(n + 1, ...(within ? [1] : []), 0, 1), u32(at), u32(data.length)])
      at += data.length
      return place
    })
    const kinds = items.map(({ type }, n) => full('infe', 2, u16(n + 1, 0), Buffer.from(type), [0]))
    const owned = items.map(({ properties: own }, n) =>
      Buffer.concat([u16(n + 1), Buffer.from([own.length, ...own.map(() => next++)])]),
    )
    return full(
      'meta',
      0,
      full('hdlr', 0, u32(0), Buffer.from('pict'), Buffer.alloc(13)),
      full('pitm', 0, u16(primary)),
      full('iloc', within ? 1 : 0, [0x44, 0], u16(items.length), ...places),
      ...(within ? [box('idat', bytes)] : []),
      full('iinf', 0, u16(items.length), ...kinds),
      ...(references.length === 0
        ? []
        : [
            full(
              'iref',
              0,
              ...references.map(({ type, from, to }) => box(type, u16(from), u16(to.length), u16(...to))),
            ),
          ]),
      box('iprp', box('ipco', ...properties), full('ipma', 0, u32(items.length), ...owned)),
    )
  }
  const meta = metaAt(ftyp.length + metaAt(0).length + 8)
  return within ? Buffer.concat([ftyp, meta]) : Buffer.concat([ftyp, meta, box('mdat', bytes)])
}

export interface Coded {
  /** The bytes of the image, and the property that goes with them. */
  readonly data: Buffer
  readonly av1C: Buffer
}

/** What libaom makes of a picture, out of the file that it comes in. */
export function coded(avif: Buffer): Coded {
  const at = avif.indexOf('av1C') - 4
  return { data: avif.subarray(avif.indexOf('mdat') + 4), av1C: avif.subarray(at, at + avif.readUInt32BE(at)) }
}

/** One colour, some hundred bytes for megapixels. */
export const flat = async (width: number, height: number, background = '#a52'): Promise<Coded> =>
  coded(
    await sharp({ create: { width, height, channels: 3, background } })
      .avif({ effort: 0, quality: 30, chromaSubsampling: '4:2:0' })
      .toBuffer(),
  )

export const image = ({ data, av1C }: Coded, width: number, height: number, ...more: readonly Buffer[]): MadeItem => ({
  type: 'av01',
  data,
  properties: [ispe(width, height), PIXI, av1C, ...more],
})

/** The item that says how tiles lie side by side. */
export const grid = (columns: number, rows: number, width: number, height: number): MadeItem => ({
  type: 'grid',
  data: Buffer.concat([Buffer.from([0, 0, rows - 1, columns - 1]), u16(width, height)]),
  properties: [ispe(width, height), PIXI],
})
