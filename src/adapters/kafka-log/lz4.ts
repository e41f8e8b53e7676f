// Unpacks lz4 frames, with blocks of their own and with blocks that repeat what came in those before them.
import { repeat } from './snappy.ts'

const MAGIC = 0x184d2204
// Frames that any reader passes over: sixteen magic numbers from this one on.
const SKIPPABLE = 0x184d2a50

/** Throws RangeError for bytes that are not lz4 frames or give more than `limit` bytes. Checksums are not looked at: Kafka has its own. */
export function unlz4(input: Buffer, limit: number): Buffer {
  const out = createOutput(limit, input.length * 4)
  let at = 0
  while (at < input.length) {
    if (at + 7 > input.length) throw new RangeError('An lz4 frame has no header')
    const magic = input.readUInt32LE(at)
    if (magic >>> 4 === SKIPPABLE >>> 4 && at + 8 <= input.length) {
      at += 8 + input.readUInt32LE(at + 4)
      continue
    }
    if (magic !== MAGIC) throw new RangeError('These bytes are not an lz4 frame')
    at = frame(input, at + 4, out)
  }
  return out.bytes()
}

/** Returns where the frame ends. */
function frame(input: Buffer, start: number, out: Output): number {
  const flags = input[start] ?? 0
  if (flags >>> 6 !== 1) throw new RangeError('An lz4 frame is of another version')
  if ((flags & 0x01) !== 0) throw new RangeError('An lz4 frame needs a dictionary')
  const blockChecksum = (flags & 0x10) === 0 ? 0 : 4
  const independent = (flags & 0x20) !== 0
  // Flags, block sizes, perhaps the size of the content, a checksum of these.
  let at = start + 2 + ((flags & 0x08) === 0 ? 0 : 8) + 1
  const began = out.size()
  for (;;) {
    if (at + 4 > input.length) throw new RangeError('An lz4 frame has no end')
    const word = input.readUInt32LE(at)
    at += 4
    if (word === 0) return at + ((flags & 0x04) === 0 ? 0 : 4)
    const length = word & 0x7fffffff
    if (at + length > input.length) throw new RangeError('An lz4 frame ends inside a block')
    const bytes = input.subarray(at, at + length)
    if (word >>> 31 === 1) out.write(bytes)
    else block(bytes, out, independent ? out.size() : began)
    at += length + blockChecksum
  }
}

/** `floor`: how far back a match may reach. */
function block(input: Buffer, out: Output, floor: number): void {
  let at = 0
  const extend = (length: number): number => {
    let byte
    do {
      byte = input[at++]
      if (byte === undefined) throw new RangeError('An lz4 length has no end')
      length += byte
    } while (byte === 255)
    return length
  }
  while (at < input.length) {
    const token = input[at++] ?? 0
    const literals = token >>> 4 === 15 ? extend(15) : token >>> 4
    if (at + literals > input.length) throw new RangeError('An lz4 literal is too long')
    out.write(input.subarray(at, at + literals))
    at += literals
    // The last sequence of a block is literals alone.
    if (at === input.length) return
    if (at + 2 > input.length) throw new RangeError('An lz4 match has no offset')
    const back = input.readUInt16LE(at)
    at += 2
    const length = ((token & 15) === 15 ? extend(15) : token & 15) + 4
    if (back === 0 || out.size() - back < floor) throw new RangeError('An lz4 match reaches outside')
    out.repeat(back, length)
  }
}

interface Output {
  size(): number
  write(bytes: Buffer): void
  repeat(back: number, length: number): void
  bytes(): Buffer
}

/** Frames need not say how large they are, so it grows; never beyond the limit, whatever they say. */
function createOutput(limit: number, guess: number): Output {
  let buffer = Buffer.allocUnsafe(Math.min(limit, Math.max(guess, 1024)))
  let size = 0
  const room = (more: number): void => {
    if (size + more > limit) throw new RangeError(`An lz4 frame holds more than ${limit} bytes`)
    if (size + more <= buffer.length) return
    const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(buffer.length * 2, size + more)))
    buffer.copy(larger, 0, 0, size)
    buffer = larger
  }
  return {
    size: () => size,
    write(bytes) {
      room(bytes.length)
      size += bytes.copy(buffer, size)
    },
    repeat(back, length) {
      room(length)
      repeat(buffer, size, back, length)
      size += length
    },
    bytes: () => buffer.subarray(0, size),
  }
}
