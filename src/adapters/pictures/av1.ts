// The units of an AV1 image (specification 5.3 to 5.5): how many frames they make a decoder decode, and how samples are meant.
import { BoxFault, ENDS } from './boxes.ts'
import { areOrdinary, type CodedColours } from './colours.ts'

export interface Units {
  readonly frames: number
  /** The first that a head of a sequence says and that are not ordinary. */
  readonly odd: CodedColours | undefined
  /** Frames that are no steps of one picture, each in a finer layer: of those one decoder shows the first, another the last. */
  readonly isSeveral: boolean
}

/** Of one image: encoders write three, for each frame of a progressive one as many, and metadata. */
const MOST_UNITS = 200

/** OBU types (6.2.2) that make the decoder decode: frame header, frame, tile list. */
const DECODED: ReadonlySet<number> = new Set([3, 6, 8])
const SEQUENCE = 1
/** Of a frame with its header: the only kind that may say no size, as the last one. */
const FRAME = 6

/**
 * The decoder takes all that there are, one after the other, for the last one to be shown. It passes over zeros and goes on
 * where a reader of sizes would stop, so what is not plain is refused. @throws BoxFault
 */
export function unitsOf(obus: Buffer, mostFrames: number): Units {
  let frames = 0
  let units = 0
  let odd: CodedColours | undefined
  let [layer, isSeveral] = [-1, false]
  for (let at = 0; at < obus.length;) {
    const head = obus[at] ?? 0
    const type = (head >> 3) & 15
    if (type === 0) {
      if (!isZero(obus.subarray(at))) throw new BoxFault('an AV1 unit of no kind')
      break
    }
    if (++units > MOST_UNITS) throw new BoxFault(`more than ${MOST_UNITS} AV1 units in one image`)
    const isExtended = (head & 4) === 4
    if (DECODED.has(type)) {
      if (++frames > mostFrames) throw new BoxFault(`more than ${mostFrames} frames in one image`)
      const own = isExtended ? ((obus[at + 1] ?? 0) >> 3) & 3 : 0
      isSeveral ||= own <= layer
      layer = own
    }
    at += isExtended ? 2 : 1
    if ((head & 2) === 0) {
      if (type !== FRAME) throw new BoxFault('an AV1 unit without a size')
      break
    }
    let size = 0
    for (let shift = 0; shift < 8; shift++) {
      const byte = obus[at++]
      if (byte === undefined) throw new BoxFault(ENDS)
      size += (byte & 127) * 128 ** shift
      if (byte < 128) break
    }
    if (at + size > obus.length) throw new BoxFault(ENDS)
    const said = type === SEQUENCE ? coloursOf(obus.subarray(at, at + size)) : undefined
    if (said !== undefined && !areOrdinary(said)) odd ??= said
    at += size
  }
  return { frames, odd, isSeveral }
}

/** Each byte is as the next, and the first is none. */
const isZero = (bytes: Buffer): boolean => bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1))

/** Of the head of a sequence (5.5.1, 5.5.2), as far as it goes to its colours. */
function coloursOf(sequence: Buffer): CodedColours | undefined {
  const { take, skip, isSet } = bitsOf(sequence)
  const profile = take(3)
  skip(1)
  const isReduced = isSet()
  if (isReduced) skip(5)
  else skipOperation()
  const [across, down] = [take(4) + 1, take(4) + 1]
  skip(across + down)
  if (!isReduced && isSet()) skip(4 + 3)
  skip(3)
  if (!isReduced) skipTools()
  skip(3)
  const isDeep = isSet()
  if (profile === 2 && isDeep) skip(1)
  if (profile !== 1) skip(1)
  return isSet() ? { primaries: take(8), transfer: take(8) } : undefined

  /** Timing, and what each operating point asks of a decoder. */
  function skipOperation(): void {
    let delayBits = 0
    if (isSet()) {
      skip(32 + 32)
      if (isSet()) skipVariable()
      if (isSet()) {
        delayBits = take(5) + 1
        skip(32 + 5 + 5)
      }
    }
    const hasDelays = isSet()
    for (let points = take(5) + 1; points > 0; points--) {
      skip(12)
      if (take(5) > 7) skip(1)
      if (delayBits > 0 && isSet()) skip(2 * delayBits + 1)
      if (hasDelays && isSet()) skip(4)
    }
  }

  function skipTools(): void {
    skip(4)
    const hasOrder = isSet()
    if (hasOrder) skip(2)
    const isScreenChosen = isSet()
    const isScreen = isScreenChosen || isSet()
    if (isScreen && !isSet()) skip(1)
    if (hasOrder) skip(3)
  }

  /** As many bits as there are zeros before the one. */
  function skipVariable(): void {
    let zeros = 0
    while (zeros < 32 && !isSet()) zeros++
    if (zeros < 32) skip(zeros)
  }
}

/** From the highest bit of the first byte on. */
function bitsOf(bytes: Buffer) {
  let at = 0
  const take = (count: number): number => {
    let value = 0
    for (const end = at + count; at < end; at++) {
      const byte = bytes[at >> 3]
      if (byte === undefined) throw new BoxFault(ENDS)
      value = value * 2 + ((byte >> (7 - (at & 7))) & 1)
    }
    return value
  }
  const skip = (count: number): void => {
    at += count
  }
  return { take, skip, isSet: () => take(1) === 1 }
}
