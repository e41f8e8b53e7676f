// The bytes of an answer in one growing block, with their SHA-256.
import { createHash } from 'node:crypto'

export interface Body {
  readonly length: number
  add(chunk: Uint8Array): void
  end(): { readonly bytes: Uint8Array; readonly sha256: string }
}

/** Most pictures of a shop fit in this, or in its double. */
const FIRST_BYTES = 64 << 10

/** Chunks are copied, not collected: one byte a chunk, which costs the sender nothing, would cost us a hundred for each. */
export function createBody(): Body {
  const hash = createHash('sha256')
  let block = new Uint8Array(FIRST_BYTES)
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
    end: () => ({ bytes: block.slice(0, length), sha256: hash.digest('hex') }),
  }
}
