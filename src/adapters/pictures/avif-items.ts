// The items of an AVIF as its `meta` box lists them: kinds, properties, references, and where their bytes lie.
import { BoxFault, boxesOf, ENDS, numbersOf, type Box } from './boxes.ts'

export interface Item {
  readonly id: number
  /** Four letters: `av01`, `grid`, `Exif` and so on. */
  readonly type: string
  readonly properties: readonly Box[]
  /** Where its bytes lie, one after the other; of nothing for an item without any. */
  readonly extents: readonly Buffer[]
}

export interface Reference {
  /** `dimg`: is made of; `auxl`: is the alpha of; `thmb`, `cdsc`: belongs to. */
  readonly type: string
  readonly from: number
  readonly to: readonly number[]
}

export interface Items {
  readonly primary: Item
  readonly items: ReadonlyMap<number, Item>
  readonly references: readonly Reference[]
}

/** As many as libheif reads; a grid for 16 megapixels in tiles of 512 pixels has 64. */
const MOST_ITEMS = 1_000
/** Of one item; encoders write one. */
const MOST_EXTENTS = 32

/** @throws BoxFault where the file is broken, or says the same thing twice. */
export function itemsOf(file: Buffer): Items {
  const meta = boxesOf(one(topOf(file), 'meta').body)
  const pitm = one(meta, 'pitm')
  const primary = numbersOf(pitm.body).take(pitm.version === 0 ? 2 : 4)
  const extents = extentsOf(one(meta, 'iloc'), file, meta.find(({ type }) => type === 'idat')?.body)
  const properties = propertiesOf(one(meta, 'iprp'))
  const items = new Map<number, Item>()
  for (const { id, type } of typesOf(one(meta, 'iinf'))) {
    if (items.has(id)) throw new BoxFault(`item ${id} twice`)
    items.set(id, { id, type, properties: properties.get(id) ?? [], extents: extents.get(id) ?? [] })
  }
  const shown = items.get(primary)
  if (shown === undefined) throw new BoxFault('no primary item')
  const references = meta.some(({ type }) => type === 'iref') ? referencesOf(one(meta, 'iref')) : []
  return { primary: shown, items, references }
}

/** Something else may hang behind the last box; a picture may have a short form instead of `meta`, which nothing writes yet. */
function topOf(file: Buffer): Box[] {
  const top = boxesOf(file, 'cut')
  if (top.some(({ type }) => type === 'mini')) throw new BoxFault('a picture in the short form')
  return top
}

function one(boxes: readonly Box[], type: string): Box {
  const [box, ...more] = boxes.filter((box) => box.type === type)
  if (box === undefined) throw new BoxFault(`no ${type} box`)
  if (more.length > 0) throw new BoxFault(`more than one ${type} box`)
  return box
}

function typesOf({ body, version }: Box): { readonly id: number; readonly type: string }[] {
  const numbers = numbersOf(body)
  const count = numbers.take(version === 0 ? 2 : 4)
  if (count > MOST_ITEMS) throw new BoxFault(`${count} items; at most ${MOST_ITEMS} are read`)
  return boxesOf(numbers.left())
    .filter(({ type }) => type === 'infe')
    .map(({ body, version }) => {
      if (version !== 2 && version !== 3) throw new BoxFault(`an item of version ${version}`)
      const said = numbersOf(body)
      const id = said.take(version === 2 ? 2 : 4)
      said.skip(2)
      const type = said.left().toString('latin1', 0, 4)
      // Name, content type, encoding, each with a zero behind it: libheif inflates what names one, to any size.
      const [, , encoding = ''] = type === 'mime' ? said.left().toString('latin1', 4).split('\0', 3) : []
      if (encoding !== '') throw new BoxFault('an item that is to be inflated')
      return { id, type }
    })
}

function propertiesOf({ body }: Box): Map<number, Box[]> {
  const boxes = boxesOf(body)
  const all = boxesOf(one(boxes, 'ipco').body)
  const found = new Map<number, Box[]>()
  for (const { type, body, version, flags } of boxes) {
    if (type !== 'ipma') continue
    const numbers = numbersOf(body)
    const count = numbers.take(4)
    if (count > MOST_ITEMS) throw new BoxFault(`properties of ${count} items`)
    for (let n = 0; n < count; n++) {
      const id = numbers.take(version < 1 ? 2 : 4)
      if (found.has(id)) throw new BoxFault(`properties of item ${id} twice`)
      const own: Box[] = []
      for (let left = numbers.take(1); left > 0; left--) {
        const index = (flags & 1) === 1 ? numbers.take(2) & 0x7fff : numbers.take(1) & 0x7f
        const property = all[index - 1]
        if (property !== undefined) own.push(property)
      }
      found.set(id, own)
    }
  }
  return found
}

function referencesOf({ body, version }: Box): Reference[] {
  const wide = version === 0 ? 2 : 4
  return boxesOf(body).map(({ type, body }) => {
    const numbers = numbersOf(body)
    const from = numbers.take(wide)
    const count = numbers.take(2)
    if (count > MOST_ITEMS) throw new BoxFault(`${count} references; at most ${MOST_ITEMS} are read`)
    return { type, from, to: Array.from({ length: count }, () => numbers.take(wide)) }
  })
}

function extentsOf({ body, version }: Box, file: Buffer, idat: Buffer | undefined): Map<number, Buffer[]> {
  const numbers = numbersOf(body)
  const sizes = numbers.take(2)
  const [offsets, lengths, bases, indices] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15, sizes & 15]
  // libheif reads no other sizes, and takes what has one for nothing.
  if (
    version > 2 ||
    [offsets, lengths, bases].some((size) => ![0, 4, 8].includes(size)) ||
    (version > 0 && indices > 0)
  )
    throw new BoxFault('places of items in numbers of another size than 4 or 8 bytes')
  const count = numbers.take(version < 2 ? 2 : 4)
  if (count > MOST_ITEMS) throw new BoxFault(`places of ${count} items`)
  const found = new Map<number, Buffer[]>()
  for (let n = 0; n < count; n++) {
    const id = numbers.take(version < 2 ? 2 : 4)
    const method = version === 0 ? 0 : numbers.take(2) & 15
    if (method > 1 || (method === 1 && idat === undefined)) throw new BoxFault(`an item placed by method ${method}`)
    const source = method === 1 ? (idat ?? file) : file
    numbers.skip(2)
    const base = numbers.take(bases)
    const extents = numbers.take(2)
    if (extents > MOST_EXTENTS) throw new BoxFault(`an item in ${extents} places`)
    if (found.has(id)) throw new BoxFault(`item ${id} in two places`)
    const parts: Buffer[] = []
    let total = 0
    for (let left = extents; left > 0; left--) {
      const from = base + numbers.take(offsets)
      const length = numbers.take(lengths)
      // All that there is to some, nothing to others.
      if (length === 0) throw new BoxFault('a part of an item without a length')
      const to = from + length
      if (to > source.length || from > to) throw new BoxFault(ENDS)
      parts.push(source.subarray(from, to))
      total += to - from
    }
    // The same bytes named again and again would be copied as often.
    if (total > file.length) throw new BoxFault(`an item of ${total} bytes`)
    found.set(id, parts)
  }
  return found
}
