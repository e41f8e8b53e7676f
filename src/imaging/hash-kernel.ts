// Counting differing bits with the processor's own instruction: hash-kernel.wat, assembled; JavaScript has none (12 times slower).

/** Assembled from hash-kernel.wat; a test assembles it again and compares. */
export const MODULE = [
  'AGFzbQEAAAABJQRgAn9/AX9gB39/f39/f38Bf2AGf39/f39/AX9gBX9/f39/AX8CEAEEaG9zdAZtZW1vcnkCAAEDBQQAAQIDBgYB',
  'fwFBAAsHJAQGcGFzc2VkAwAEc2NhbgABB2NvbXBhcmUAAgZ2ZXJpZnkAAwqBBAQcACAAKQMAIAEpAwCFeyAAKQMIIAEpAwiFe3yn',
  'C6MBAgR+A38gBa0hCiAEKQMAIQcgBCkDCCEIIAAgAkEEdGohDCAGIQ1BACQAAkADQCAAIAxPDQEgByAAKQMAhXsgCCAAKQMIhXt8',
  'IQkgCSAKWARAIwBBAWokACAJpyAAIAFqIARBEGoQAGohCyALIAVNBEAgDSADNgIAIA0gCzYCBCANQQhqIQ0LCyADQQFqIQMgAEEQ',
  'aiEADAALCyANIAZrQQN2C68BAgZ+An8gBK0hC0EAKQMAIQZBCCkDACEHQRApAwAhCEEYKQMAIQkgASAAaiEBIAAgAkEEdGohDCAF',
  'IQ0CQANAIAAgDE8NASAGIAApAwCFeyAHIAApAwiFe3wgCCABKQMAhXsgCSABKQMIhXt8fCEKIAogC1gEQCANIAM2AgAgDSAKpzYC',
  'BCANQQhqIQ0LIANBAWohAyAAQRBqIQAgAUEQaiEBDAALCyANIAVrQQN2C4sBAQV/IAAgAUECdGohCCAEIQkCQANAIAAgCE8NASAA',
  'KAIAIQUgAiAFQQx2QRF0IAVB/x9xQQR0amohBiAGQQAQACEHIAcgA00EQCAHIAZBgIAEakEQEABqIQcgByADTQRAIAkgBTYCACAJ',
  'IAc2AgQgCUEIaiEJCwsgAEEEaiEADAALCyAJIARrQQN2Cw==',
].join('')

/** Hashes in blocks of this many, halves A (bits 0 to 127 of the text) together and halves B behind them. */
export const BLOCK = 4096
export const HALF_BYTES = 16
export const BLOCK_BYTES = BLOCK * 2 * HALF_BYTES
const HALVES_BYTES = BLOCK * HALF_BYTES

/** What the memory begins with: the query in both orders, slots to verify, and what was found. */
const SWAPPED_QUERY_AT = 32
const LIST_AT = 1024
const FOUND_AT = 32_768
export const BLOCKS_AT = 65_536

/** WebAssembly's page, and how many of them 32-bit addresses reach: 134 million hashes. */
const PAGE_BYTES = 65_536
const MOST_PAGES = 65_536

interface Exports {
  readonly passed: WebAssembly.Global
  scan(at: number, other: number, count: number, slot: number, query: number, limit: number, out: number): number
  compare(at: number, other: number, count: number, slot: number, limit: number, out: number): number
  verify(list: number, count: number, blocks: number, most: number, out: number): number
}

export interface Kernel {
  /** Of the memory; gone stale after `grow`. */
  bytes(): Uint8Array
  words(): Uint32Array
  /** Makes room for blocks in all. Throws RangeError beyond 134 million hashes. */
  grow(blocks: number): void
  setQuery(hash: Uint8Array): void
  /**
   * Compares the first `count` hashes of a block, half A first, or B where `swapped`. Found pairs of slot and distance are
   * at `found`; `passed` says how many got as far as their other half.
   */
  scan(block: number, count: number, swapped: boolean, most: number): { found: number; passed: number }
  /** The same, always both halves. */
  compare(block: number, count: number, most: number): number
  /** Compares listed slots, at most `BLOCK`, of which `slotAt` wrote each. */
  verify(count: number, most: number): number
  /** Where the slots for `verify` are to be written. */
  list(): Uint32Array
  /** Pairs of slot and distance, from the last call. */
  found(): Uint32Array
}

const compiled = new WebAssembly.Module(Buffer.from(MODULE, 'base64'))

/** Memory and code for one index. */
export function createKernel(): Kernel {
  const memory = new WebAssembly.Memory({ initial: BLOCKS_AT / PAGE_BYTES, maximum: MOST_PAGES })
  const code = new WebAssembly.Instance(compiled, { host: { memory } }).exports as unknown as Exports
  let views = viewsOf(memory)
  return {
    bytes: () => views.bytes,
    words: () => views.words,
    grow(blocks) {
      const pages = (BLOCKS_AT + blocks * BLOCK_BYTES - memory.buffer.byteLength) / PAGE_BYTES
      if (pages <= 0) return
      if (pages + memory.buffer.byteLength / PAGE_BYTES > MOST_PAGES)
        throw new RangeError('An index holds at most 134 million hashes')
      memory.grow(pages)
      views = viewsOf(memory)
    },
    setQuery(hash) {
      views.bytes.set(hash, 0)
      views.bytes.set(hash.subarray(HALF_BYTES), SWAPPED_QUERY_AT)
      views.bytes.set(hash.subarray(0, HALF_BYTES), SWAPPED_QUERY_AT + HALF_BYTES)
    },
    scan(block, count, swapped, most) {
      const at = BLOCKS_AT + block * BLOCK_BYTES
      const found = swapped
        ? code.scan(at + HALVES_BYTES, -HALVES_BYTES, count, block * BLOCK, SWAPPED_QUERY_AT, most, FOUND_AT)
        : code.scan(at, HALVES_BYTES, count, block * BLOCK, 0, most, FOUND_AT)
      return { found, passed: code.passed.value }
    },
    compare: (block, count, most) =>
      code.compare(BLOCKS_AT + block * BLOCK_BYTES, HALVES_BYTES, count, block * BLOCK, most, FOUND_AT),
    verify: (count, most) => code.verify(LIST_AT, count, BLOCKS_AT, most, FOUND_AT),
    list: () => views.list,
    found: () => views.found,
  }
}

const viewsOf = ({ buffer }: WebAssembly.Memory) => ({
  bytes: new Uint8Array(buffer),
  words: new Uint32Array(buffer),
  list: new Uint32Array(buffer, LIST_AT, BLOCK),
  found: new Uint32Array(buffer, FOUND_AT, 2 * BLOCK),
})
