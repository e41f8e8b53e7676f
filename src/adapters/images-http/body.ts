// The bytes of an answer in one growing block, with their SHA-256.
import { createHash } from 'node:crypto'

export interface Body {
  readonly length: number
  add(chunk: Uint8Array): void
  end(): { readonly bytes: Uint8Array; readonly sha256: string }
}

/** Where no length was said: most pictures of a shop fit in this, or in its double. */
const FIRST_BYTES = 64 << 10
/** A length that was said is believed so far: no stranger has memory set aside that it does not fill. */
const BELIEVED_BYTES = 1 << 20

/**
 * Chunks are copied, not collected: one byte a chunk, which costs the sender nothing, would cost us a hundred for each.
 * @param said the length that the answer says, 0 where it says none.
 */
export function createBody(said: number): Body {
  const hash = createHash('sha256')
  let block = new Uint8Array(said > 0 ? Math.min(said, BELIEVED_BYTES) : FIRST_BYTES)
  let length = 0
  return {
    get length() {
      return length
    },
    add(chunk) {
      if (length + chunk.length > block.length) {
        const larger = new Uint8Array(Math.max(block.length * 2, length + chunk.length))
        larger.set(block.subarray(0, length))
        block = larger
      }
      block.set(chunk, length)
      length += chunk.length
      hash.update(chunk)
    },
    end: () => ({ bytes: length === block.length ? block : block.slice(0, length), sha256: hash.digest('hex') }),
  }
}
