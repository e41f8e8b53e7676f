// How samples are meant, by the code points of ITU-T H.273 (cICP, nclx, AV1, ICC): which of them libvips shows as browsers do.

export interface CodedColours {
  readonly primaries: number
  readonly transfer: number
}

export const UNSAID = 2

/**
 * BT.709, unsaid, gamma 2.2, BT.601, sRGB, BT.2020 twice: within ten grey levels of sRGB in Chromium. Beyond lie PQ, HLG and
 * linear light, of which libvips, which takes all of them for sRGB, makes another picture; or what nobody writes.
 */
const TRANSFERS: ReadonlySet<number> = new Set([1, UNSAID, 4, 6, 13, 14, 15])

/** BT.709, unsaid, BT.470 twice, BT.601 twice, BT.2020, DCI, Display P3, EBU: honest, and greys stay what they are. */
const PRIMARIES: ReadonlySet<number> = new Set([1, UNSAID, 4, 5, 6, 7, 9, 11, 12, 22])

export const areOrdinary = ({ primaries, transfer }: CodedColours): boolean =>
  PRIMARIES.has(primaries) && TRANSFERS.has(transfer)

/** Far more than any has. */
const MOST_TAGS = 200

/** A profile (ICC.1:2022, 9.2.17) may name them in a tag, which Chromium obeys before all its curves and libvips not at all. */
export function isOrdinaryProfile(icc: Uint8Array): boolean {
  const view = Buffer.from(icc.buffer, icc.byteOffset, icc.byteLength)
  if (view.length < 132) return true
  const count = view.readUInt32BE(128)
  for (let tag = 0; tag < Math.min(count, MOST_TAGS); tag++) {
    const at = 132 + 12 * tag
    if (at + 12 > view.length) return true
    if (view.toString('latin1', at, at + 4) !== 'cicp') continue
    const from = view.readUInt32BE(at + 4)
    const [primaries, transfer] = view.subarray(from + 8, from + 10)
    if (primaries === undefined || transfer === undefined || !areOrdinary({ primaries, transfer })) return false
  }
  return count <= MOST_TAGS
}
