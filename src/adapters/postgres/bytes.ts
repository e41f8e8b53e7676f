// How many byte strings travel to the database at once: as one blob with places in it, because arrays of bytea go as hex text.

/** Parts of one blob; in SQL `substring(blob from start for length)`, null where the length is null. */
export interface Packed {
  readonly blob: Buffer
  /** From 1, as SQL counts. */
  readonly starts: number[]
  readonly lengths: (number | null)[]
}

export function pack(parts: readonly (Uint8Array | null)[]): Packed {
  const starts: number[] = []
  const lengths: (number | null)[] = []
  const present: Uint8Array[] = []
  let start = 1
  for (const part of parts) {
    starts.push(start)
    lengths.push(part === null ? null : part.byteLength)
    if (part === null) continue
    present.push(part)
    start += part.byteLength
  }
  return { blob: Buffer.concat(present, start - 1), starts, lengths }
}

const utf8 = new TextEncoder()

export const packJson = (values: readonly unknown[]): Packed =>
  pack(values.map((value) => utf8.encode(JSON.stringify(value))))

/** Headers as bytes: JSON with one character per byte, so that text stays legible and any other bytes come back untouched. */
export function encodeHeaders(headers: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const entries = Object.entries(headers).map(([name, bytes]) => [name, latin1(bytes)] as const)
  return utf8.encode(JSON.stringify(Object.fromEntries(entries)))
}

export function decodeHeaders(bytes: Uint8Array): Record<string, Uint8Array> {
  const stored = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as Record<
    string,
    string
  >
  return Object.fromEntries(Object.entries(stored).map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
