// The gamma that a PNG names for its samples, undone as browsers undo it: before anything is blended or shrunk.
import sharp, { type Sharp } from 'sharp'

/** What sRGB is displayed with; 0.45455 in a file, which is what most say, changes nothing. */
const DISPLAY = 2.2
/** Below a twentieth a value moves by less than what encoding a JPEG does to it. */
const UNSEEN = 0.05

/** The power to which samples are raised for display; undefined where that changes nothing to speak of. */
export function powerOf(gamma: number | undefined): number | undefined {
  if (gamma === undefined) return undefined
  const power = 1 / (DISPLAY * gamma)
  return Math.abs(power - 1) < UNSEEN ? undefined : power
}

/** All of it is decoded here, to eight bits; what comes of it is shrunk and put on white by whoever asked. */
export async function displayed(stored: Sharp, power: number): Promise<Sharp> {
  const { data, info } = await stored
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const levels = Uint8Array.from({ length: 256 }, (_, level) => Math.round(255 * (level / 255) ** power))
  const colours = channels % 2 === 0 ? channels - 1 : channels
  for (let at = 0; at < data.length; at += channels)
    for (let colour = 0; colour < colours; colour++) data[at + colour] = levels[data[at + colour] ?? 0] ?? 0
  return sharp(data, { raw: { width, height, channels } })
}
