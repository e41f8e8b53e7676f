// What a picture says it is in its first bytes: one of five formats, or none that we read.

/** The tail of a file, its name and its content type count for nothing: whoever sends a polyglot chooses those. */
const MAGIC = {
  jpeg: (bytes: Buffer) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  png: (bytes: Buffer) => bytes.subarray(0, 8).equals(PNG),
  gif: (bytes: Buffer) => ['GIF87a', 'GIF89a'].includes(bytes.toString('latin1', 0, 6)),
  webp: (bytes: Buffer) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  avif: (bytes: Buffer) => bytes.toString('latin1', 4, 8) === 'ftyp' && brandsOf(bytes).some((b) => AV1.has(b)),
} as const
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const AV1: ReadonlySet<string> = new Set(['avif', 'avis'])

export type Format = keyof typeof MAGIC

/** By the magic bytes alone; undefined for everything that is not read here (SVG, TIFF, HEIC, PDF and the rest). */
export function formatOf(bytes: Uint8Array): Format | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (Object.keys(MAGIC) as Format[]).find((format) => MAGIC[format](view))
}

/** An AVIF that is to be played as a film: browsers go by its major brand. Here only the picture beside the film is read. */
export const isSequence = (bytes: Uint8Array): boolean =>
  formatOf(bytes) === 'avif' && Buffer.from(bytes.buffer, bytes.byteOffset, 12).toString('latin1', 8, 12) === 'avis'

/** The brands of an ISO base media file: the major one, then those that it is compatible with. */
function brandsOf(bytes: Buffer): string[] {
  // Real files name three to eight; a box that claims more is cut off here.
  const end = bytes.length < 16 ? 0 : Math.min(bytes.readUInt32BE(0), bytes.length, 16 + 4 * 16)
  const brands = [bytes.toString('latin1', 8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(bytes.toString('latin1', at, at + 4))
  return brands
}
