// Hashes, pictures and banks that the tests of the index share: invented, deterministic, of known distances.
import { createHash } from 'node:crypto'
import { bankSchema, type Bank } from '../../../../src/domain/bank.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import type { IndexedImage } from '../../../../src/rights/bank-ports.ts'

export const bank = (bankId: string, more: Partial<Bank> = {}): Bank =>
  bankSchema.parse({ bankId, name: bankId, kind: 'counterfeit', ...more })

const bytes = (seed: string): Buffer => createHash('sha256').update(seed).digest()

/** A hash that differs from that of `seed` in so many bits. */
export function hash(seed: string, bits = 0): Buffer {
  const made = bytes(seed)
  for (let bit = 0; bit < bits; bit++) made[bit >> 3] = (made[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return made
}

export function uuid(name: string): string {
  const hex = bytes(`id of ${name}`).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const image = (name: string, bankId: string, of: Buffer, more: Partial<IndexedImage> = {}): IndexedImage => ({
  imageId: uuid(name),
  bankId,
  sha256: bytes(`file ${name}`).toString('hex'),
  hash: of.toString('hex'),
  quality: 90,
  forms: [],
  state: 'active',
  source: { kind: 'import', file: `${name}\n".jpg` },
  addedAt: '2026-01-01T00:00:00.000Z',
  addedBy: 'ann',
  ...more,
})

/** A picture whose dihedral form no. `variant` has the hash; the others are like nothing. */
export const seen = (of: Buffer, variant = 0, more: Partial<SeenPicture> = {}): SeenPicture => {
  const variants = Array.from({ length: 8 }, (_, i) =>
    i === variant ? of : bytes(`variant ${i} of ${of.toString('hex')}`),
  )
  return {
    state: 'seen',
    sha256: bytes(`seen ${of.toString('hex')}`).toString('hex'),
    format: 'jpeg',
    width: 100,
    height: 100,
    hash: { bytes: variants[0] ?? of, quality: 90 },
    variants,
    blank: false,
    ...more,
  }
}
