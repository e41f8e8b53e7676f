// A picture that was seen, as far as tests care that do not look at its hashes.
import type { SeenPicture } from '../../src/imaging/picture.ts'

export const seenPicture = (sha256: string, blank = false): SeenPicture => ({
  state: 'seen',
  sha256,
  format: 'png',
  width: 10,
  height: 10,
  hash: { bytes: new Uint8Array(32), quality: 100 },
  variants: [],
  blank,
})
