// What an entry of a bank is found by, as bytes: its hash and those of its derived forms side by side.
import { DERIVED_FORMS, type PictureForm } from '../../domain/bank.ts'

export const HASH = /^[0-9a-f]{64}$/
const HASH_BYTES = 32
export const FORMS: readonly PictureForm[] = ['whole', ...DERIVED_FORMS]
export const HASHES_BYTES = FORMS.length * HASH_BYTES

/** A form whose hash cannot be read is none: the picture still has its own. */
export function hashesOf(hash: string, forms: readonly string[] = []): Uint8Array {
  const bytes = new Uint8Array(HASHES_BYTES)
  for (const [i, one] of [hash, ...forms.slice(0, DERIVED_FORMS.length)].entries())
    if (HASH.test(one)) bytes.set(Buffer.from(one, 'hex'), i * HASH_BYTES)
  return bytes
}

/** Those that there are, by their places among the forms. */
export function* formsIn(hashes: Uint8Array): Generator<[form: number, hash: Uint8Array]> {
  for (let form = 0; form < FORMS.length; form++) {
    const hash = hashes.subarray(form * HASH_BYTES, (form + 1) * HASH_BYTES)
    // Half the bits of every hash are set: it says whether there is one.
    if (form === 0 || hash.some((byte) => byte !== 0)) yield [form, hash]
  }
}
