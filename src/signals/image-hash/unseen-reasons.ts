// What the seller is told of pictures that were not seen: whose turn it is to mend what, the host's, the seller's or ours.
import type { Reason } from '../../domain/decision.ts'
import { isLate, isPassing, type PictureFault, type UnseenPicture } from '../../imaging/picture.ts'

/** What the seller can do about it; which of our limits or addresses refused it is nobody's business. */
export function reasonsOfUnseen(failures: readonly UnseenPicture[]): Omit<Reason, 'signal'>[] {
  const lasting = failures.filter((picture) => !isPassing(picture) && !isLate(picture))
  const large = lasting.some(({ fault }) => TOO_MUCH.has(fault))
  const broken = lasting.some(({ fault }) => !TOO_MUCH.has(fault))
  const silent = failures.some(({ fault }) => fault === 'unreachable' || fault === 'timed-out')
  const unlooked = failures.some(({ fault }) => fault === 'busy')
  const missing = failures.some(isLate)
  return [
    ...(broken ? [CANNOT_BE_OPENED] : []),
    ...(large ? [TOO_LARGE] : []),
    ...(missing ? [NOT_FOUND] : []),
    ...(silent ? [DID_NOT_COME] : []),
    ...(unlooked ? [NO_TIME_YET] : []),
  ]
}

/** Saved anew as it is, it would be the same again. */
const TOO_MUCH: ReadonlySet<PictureFault> = new Set(['too-large', 'too-many-pixels', 'too-slow'])

const CANNOT_BE_OPENED = {
  code: 'picture-cannot-be-opened',
  text: 'A picture of the listing could not be opened, so it could not be compared with known ones. Please save it anew, as a JPEG or PNG, add it again and send the listing as a new revision.',
}
const TOO_LARGE = {
  code: 'picture-too-large',
  text: 'A picture of the listing is too large, or too long an animation, so not all of it could be compared with known ones. Please save it smaller, and not as an animation, add it again and send the listing as a new revision.',
}
const NOT_FOUND = {
  code: 'picture-not-found',
  text: 'A picture of the listing was not found where it is kept, so it could not be compared with known ones. It is asked for again for a while after the listing came; later, please add it again and send the listing as a new revision.',
}
const DID_NOT_COME = {
  code: 'picture-did-not-come',
  text: 'A picture of the listing did not come from where it is kept, so it could not be compared with known ones. Please see to it that it can be reached; it is asked for again.',
}
const NO_TIME_YET = {
  code: 'picture-not-looked-at-yet',
  text: 'We had no time yet to look at a picture of the listing. Nothing is asked of you: we try it again.',
}
