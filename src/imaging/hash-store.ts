// Where the index keeps hashes: numbered slots in blocks that never move, and which entry lies in which.
import {
  BLOCK,
  BLOCKS_AT,
  BLOCK_BYTES,
  PLANE_BYTES,
  WORDS,
  WORD_BYTES,
  createKernel,
  type Kernel,
} from './hash-kernel.ts'

/** In a slot whose entry was removed; no entry has this number. */
export const NOBODY = 0xffff_ffff

export interface HashStore {
  readonly kernel: Kernel
  /** Slots handed out, with those whose entry was removed. */
  readonly used: number
  readonly live: number
  /** In memory. */
  readonly bytes: number
  put(id: number, hash: Uint8Array): void
  drop(id: number): boolean
  /** The entry in a slot, or `NOBODY`. */
  idAt(slot: number): number
  /** Copies a slot's 32 bytes. */
  read(slot: number, into: Uint8Array, at: number): void
  /** Sixteen bits of slots `from` to `to` (not included), handed over in their order. */
  eachPiece(piece: number, from: number, to: number, visit: (value: number, slot: number) => void): void
}

/** Numbers of entries are looked up in pages: a number costs 4 bytes where its neighbours are used too. */
const PAGE = 4096

export function createHashStore(expected = 0): HashStore {
  const kernel = createKernel()
  const ids: Uint32Array[] = []
  const pages = new Map<number, Int32Array>()
  let blocks = Math.ceil(expected / BLOCK)
  let used = 0
  let live = 0
  kernel.grow(blocks)

  const addressOf = (slot: number) => BLOCKS_AT + Math.floor(slot / BLOCK) * BLOCK_BYTES + (slot % BLOCK) * WORD_BYTES
  const slotOf = (id: number) => (pages.get(Math.floor(id / PAGE))?.[id % PAGE] ?? 0) - 1
  const idAt = (slot: number) => ids[Math.floor(slot / BLOCK)]?.[slot % BLOCK] ?? NOBODY
  const place = (id: number, slot: number) => {
    const number = Math.floor(id / PAGE)
    let page = pages.get(number)
    if (page === undefined) pages.set(number, (page = new Int32Array(PAGE)))
    // One more than the slot: 0 is none.
    page[id % PAGE] = slot + 1
    const block = (ids[Math.floor(slot / BLOCK)] ??= new Uint32Array(BLOCK).fill(NOBODY))
    block[slot % BLOCK] = id
  }
  const write = (slot: number, hash: Uint8Array) => {
    const bytes = kernel.bytes()
    const at = addressOf(slot)
    for (let word = 0; word < WORDS; word++) {
      for (let byte = 0; byte < WORD_BYTES; byte++)
        bytes[at + word * PLANE_BYTES + byte] = hash[word * WORD_BYTES + byte] ?? 0
    }
  }
  const read = (slot: number, into: Uint8Array, to: number) => {
    const bytes = kernel.bytes()
    const at = addressOf(slot)
    for (let word = 0; word < WORDS; word++) {
      for (let byte = 0; byte < WORD_BYTES; byte++)
        into[to + word * WORD_BYTES + byte] = bytes[at + word * PLANE_BYTES + byte] ?? 0
    }
  }

  return {
    kernel,
    get used() {
      return used
    },
    get live() {
      return live
    },
    get bytes() {
      return kernel.bytes().byteLength + (ids.length + pages.size) * 4 * BLOCK
    },
    put(id, hash) {
      if (used === blocks * BLOCK) {
        // An eighth more at once: growing is a call into the system.
        blocks += Math.max(1, blocks >> 3)
        kernel.grow(blocks)
      }
      write(used, hash)
      place(id, used)
      used++
      live++
    },
    drop(id) {
      const slot = slotOf(id)
      if (slot < 0) return false
      const page = pages.get(Math.floor(id / PAGE))
      const block = ids[Math.floor(slot / BLOCK)]
      if (page !== undefined) page[id % PAGE] = 0
      if (block !== undefined) block[slot % BLOCK] = NOBODY
      live--
      return true
    },
    idAt,
    read,
    eachPiece(piece, from, to, visit) {
      const bytes = kernel.bytes()
      // Four pieces are one word.
      const inSlot = (piece >> 2) * PLANE_BYTES + (piece & 3) * 2
      for (let slot = from; slot < to; slot++) {
        const at = addressOf(slot) + inSlot
        visit(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), slot)
      }
    },
  }
}
