// How many byte strings travel to the database at once: as one blob with places in it, because arrays of bytea go as hex text.
import { headerValues } from '../../events/header.ts'
import type { Headers } from '../../pipeline/log/ports.ts'

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

type StoredHeader = string | null | readonly (string | null)[]

/**
 * Headers as bytes: JSON with one character per byte, so that text stays legible and any other bytes come back untouched.
 * A missing value is null; a name that repeats has a list.
 */
export function encodeHeaders(headers: Headers): Uint8Array {
  const entries = Object.entries(headers).map(([name, value]): [string, StoredHeader] => {
    if (value === null || value instanceof Uint8Array) return [name, latin1(value)]
    return [name, headerValues(value).map(latin1)]
  })
  return utf8.encode(JSON.stringify(Object.fromEntries(entries)))
}

export function decodeHeaders(bytes: Uint8Array): Headers {
  const stored = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as Record<
    string,
    StoredHeader
  >
  return Object.fromEntries(
    Object.entries(stored).map(([name, text]) => [
      name,
      text === null || typeof text === 'string' ? fromLatin1(text) : text.map(fromLatin1),
    ]),
  )
}

const latin1 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const fromLatin1 = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text, 'latin1'))
