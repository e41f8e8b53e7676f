// Unpacks snappy: the raw format, and the frames that the Java client puts around it (xerial).

// A copy of 64 bytes takes three, so no honest block grows more than this.
const MOST_GROWTH = 22
// "\x82SNAPPY\0" and two 32-bit versions, then blocks with their length before each.
const MAGIC = Buffer.from('\u0082SNAPPY\0', 'latin1')
const HEADER_BYTES = 16

/** Throws RangeError for bytes that are not snappy or give more than `limit` bytes. */
export function unsnappy(input: Buffer, limit: number): Buffer {
  if (!input.subarray(0, MAGIC.length).equals(MAGIC)) return block(input, limit)
  const blocks: Buffer[] = []
  let [at, size] = [HEADER_BYTES, 0]
  while (at < input.length) {
    if (at + 4 > input.length) throw new RangeError('A snappy frame ends inside a length')
    const end = at + 4 + input.readUInt32BE(at)
    if (end > input.length) throw new RangeError('A snappy frame ends inside a block')
    const one = block(input.subarray(at + 4, end), limit - size)
    blocks.push(one)
    size += one.length
    at = end
  }
  return Buffer.concat(blocks, size)
}

function block(input: Buffer, limit: number): Buffer {
  let [at, size, shift] = [0, 0, 0]
  for (;;) {
    const byte = input[at++]
    if (byte === undefined || shift > 28) throw new RangeError('A snappy block does not say its size')
    size += (byte & 0x7f) * 2 ** shift
    shift += 7
    if (byte < 0x80) break
  }
  if (size > limit) throw new RangeError(`A snappy block holds more than ${limit} bytes`)
  if (size > input.length * MOST_GROWTH) throw new RangeError('A snappy block says that it is larger than it can be')
  const output = Buffer.allocUnsafe(size)
  let to = 0
  while (at < input.length) {
    const tag = input[at++] ?? 0
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >> 2
      if (length >= 60) {
        const bytes = length - 59
        if (at + bytes > input.length) throw new RangeError('A snappy literal has no length')
        length = input.readUIntLE(at, bytes)
        at += bytes
      }
      length += 1
      if (at + length > input.length || to + length > size) throw new RangeError('A snappy literal is too long')
      to += input.copy(output, to, at, at + length)
      at += length
      continue
    }
    const bytes = kind === 1 ? 1 : kind === 2 ? 2 : 4
    if (at + bytes > input.length) throw new RangeError('A snappy copy has no offset')
    const low = input.readUIntLE(at, bytes)
    at += bytes
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back = kind === 1 ? ((tag >> 5) << 8) | low : low
    if (back === 0 || back > to || to + length > size) throw new RangeError('A snappy copy reaches outside')
    repeat(output, to, back, length)
    to += length
  }
  if (to !== size) throw new RangeError('A snappy block is shorter than it says')
  return output
}

/** Writes `length` bytes at `to` that repeat what lies `back` bytes before; the two may overlap, and then it is a pattern. */
export function repeat(output: Buffer, to: number, back: number, length: number): void {
  if (back >= length) {
    output.copyWithin(to, to - back, to - back + length)
    return
  }
  if (back === 1) {
    output.fill(output[to - 1] ?? 0, to, to + length)
    return
  }
  for (let i = 0; i < length; i += 1) output[to + i] = output[to - back + i] ?? 0
}
