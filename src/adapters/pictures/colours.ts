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
