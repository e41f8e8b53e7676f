// A picture on its way into a bank: read, hashed and re-encoded like those of listings, or refused with the reason.
import { createHash } from 'node:crypto'
import { isPassing } from '../../imaging/picture.ts'
import { TouchstoneError } from '../../errors.ts'
import type { KeptPicture } from '../../domain/kept-picture.ts'
import type { PictureReader } from '../pictures/ports.ts'

/** As long as a person waits; a queue of listings' pictures is shorter. */
const READ_MS = 20_000

/**
 * @throws TouchstoneError `too-large` or `picture-unreadable` with what is wrong with it (damaged ones too, animations of which frames cannot be seen, and those that browsers show otherwise), `picture-blank` where it would match thousands
 *   of listings, `not-ready` where no thread was free.
 */
export async function readReferencePicture(reader: PictureReader, bytes: Uint8Array): Promise<KeptPicture> {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  // Looked at first: only this says why it cannot be read.
  const picture = await reader.read(bytes, sha256, AbortSignal.timeout(READ_MS))
  if (picture.state === 'unseen')
    throw new TouchstoneError(
      isPassing(picture) ? 'not-ready' : picture.fault === 'too-large' ? 'too-large' : 'picture-unreadable',
      `${picture.fault}: ${picture.message}`,
    )
  // Half a picture finds the grey of other halves; of a listing it is looked at as far as it goes.
  if (picture.damaged === true)
    throw new TouchstoneError(
      'picture-unreadable',
      `damaged: the ${picture.format} ends too soon or is broken, and only a part of it can be seen`,
    )
  // Who adds it believes that all of it is known from then on.
  if (picture.unseenFrames === true)
    throw new TouchstoneError(
      'picture-unreadable',
      `an animation of which not all frames can be seen (a film, too many or too large ones); add those that count as pictures of their own`,
    )
  if (picture.shownOtherwise === true)
    throw new TouchstoneError(
      'picture-unreadable',
      `browsers may show the ${picture.format} otherwise: its colours are coded for high dynamic range, or it says something that readers take differently (profile, parts, crop); save it anew in plain sRGB`,
    )
  if (picture.blank)
    throw new TouchstoneError(
      'picture-blank',
      `the picture is nearly blank or too plain (quality ${picture.hash.quality} of 100)`,
    )
  const kept = await reader.keep(bytes, sha256)
  if (kept === undefined) throw new TouchstoneError('not-ready', 'the picture could not be re-encoded in time')
  return kept
}
