// Newline-delimited JSON from a request, one line at a time: memory is bounded by one line, whatever the body's length.

export interface Line {
  /** From 1; blank lines count, and are not given. */
  readonly number: number
  /** undefined: the line was longer than the limit and was passed over. */
  readonly bytes: Uint8Array | undefined
}

const NEWLINE = 0x0a

/** Lines of a byte stream, without their ends (LF or CRLF). A last line needs no end. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Line> {
  let number = 0
  let parts: Uint8Array[] = []
  let length = 0
  const take = (): Line | undefined => {
    number += 1
    const bytes =
      length > maxLineBytes ? undefined : trimmed(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts))
    parts = []
    length = 0
    return bytes !== undefined && bytes.length === 0 ? undefined : { number, bytes }
  }
  const keep = (piece: Uint8Array) => {
    length += piece.length
    if (length > maxLineBytes) parts = []
    else if (piece.length > 0) parts.push(piece)
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, at))
      start = at + 1
      const line = take()
      if (line !== undefined) yield line
    }
    keep(chunk.subarray(start))
  }
  if (length > 0) {
    const line = take()
    if (line !== undefined) yield line
  }
}

/** Without JSON's white space at both ends, so that a blank line is empty. */
function trimmed(bytes: Uint8Array): Uint8Array {
  const isSpace = (b: number | undefined) => b === 0x20 || b === 0x09 || b === 0x0d
  let start = 0
  let end = bytes.length
  while (start < end && isSpace(bytes[start])) start += 1
  while (end > start && isSpace(bytes[end - 1])) end -= 1
  return bytes.subarray(start, end)
}
