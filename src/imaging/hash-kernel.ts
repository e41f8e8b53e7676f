// Counting differing bits with the processor's own instruction: hash-kernel.wat, assembled; JavaScript has none (12 times slower).

/** Assembled from hash-kernel.wat; a test assembles it again and compares. */
export const MODULE = [
  'AGFzbQEAAAABLwVgAn9/AX9gCH9/f39/f39/AX9gBn9/f39/fwBgBn9/f39/fwF/YAV/f39/fwF/AhABBGhvc3QGbWVtb3J5AgABAwcG',
  'AAEBAgMEBzAFBHNpZnQAAQlzaWZ0X21hbnkAAgZzYW1wbGUAAwdjb21wYXJlAAQGdmVyaWZ5AAUKugwGHAAgACkDACABKQMAhXsgACkD',
  'CCABKQMIhXt8pwvSBAIDfgJ/IAQpAwAhCCAFKQMAIQkgBkEBaq0hCiAAIAJBBHRqIQsgByEMAkADQCAAIAtPDQEgCCAAKQMAhXsgCSAB',
  'KQMAhXt8IAp9IAggACkDEIV7IAkgASkDEIV7fCAKfYQgCCAAKQMghXsgCSABKQMghXt8IAp9IAggACkDMIV7IAkgASkDMIV7fCAKfYSE',
  'IAggACkDQIV7IAkgASkDQIV7fCAKfSAIIAApA1CFeyAJIAEpA1CFe3wgCn2EIAggACkDYIV7IAkgASkDYIV7fCAKfSAIIAApA3CFeyAJ',
  'IAEpA3CFe3wgCn2EhIRCAFMEQCAMIAM2AgAgDCAIIAApAwCFeyAJIAEpAwCFe3wgClRBAnRqIQwgDCADQQFqNgIAIAwgCCAAKQMQhXsg',
  'CSABKQMQhXt8IApUQQJ0aiEMIAwgA0ECajYCACAMIAggACkDIIV7IAkgASkDIIV7fCAKVEECdGohDCAMIANBA2o2AgAgDCAIIAApAzCF',
  'eyAJIAEpAzCFe3wgClRBAnRqIQwgDCADQQRqNgIAIAwgCCAAKQNAhXsgCSABKQNAhXt8IApUQQJ0aiEMIAwgA0EFajYCACAMIAggACkD',
  'UIV7IAkgASkDUIV7fCAKVEECdGohDCAMIANBBmo2AgAgDCAIIAApA2CFeyAJIAEpA2CFe3wgClRBAnRqIQwgDCADQQdqNgIAIAwgCCAA',
  'KQNwhXsgCSABKQNwhXt8IApUQQJ0aiEMCyADQQhqIQMgAUGAAWohASAAQYABaiEADAALCyAMIAdrQQJ2C5UDAgN+An8gBCkDACEIIAUp',
  'AwAhCSAGQQFqrSEKIAAgAkEEdGohCyAHIQwCQANAIAAgC08NASAMIAM2AgAgDCAIIAApAwCFeyAJIAEpAwCFe3wgClRBAnRqIQwgDCAD',
  'QQFqNgIAIAwgCCAAKQMQhXsgCSABKQMQhXt8IApUQQJ0aiEMIAwgA0ECajYCACAMIAggACkDIIV7IAkgASkDIIV7fCAKVEECdGohDCAM',
  'IANBA2o2AgAgDCAIIAApAzCFeyAJIAEpAzCFe3wgClRBAnRqIQwgDCADQQRqNgIAIAwgCCAAKQNAhXsgCSABKQNAhXt8IApUQQJ0aiEM',
  'IAwgA0EFajYCACAMIAggACkDUIV7IAkgASkDUIV7fCAKVEECdGohDCAMIANBBmo2AgAgDCAIIAApA2CFeyAJIAEpA2CFe3wgClRBAnRq',
  'IQwgDCADQQdqNgIAIAwgCCAAKQNwhXsgCSABKQNwhXt8IApUQQJ0aiEMIANBCGohAyABQYABaiEBIABBgAFqIQAMAAsLIAwgB2tBAnYL',
  '8QECB38FfiAErSERAkADQCACRQ0BIAMgAEEMdkERdCAAQf8fcUEEdGpqIQZBACkDACAGKQMAhXshDUEIKQMAIAYpAwiFeyEOQRApAwAg',
  'BikDgIAEhXshD0EYKQMAIAYpA4iABIV7IRAgByANIA58IBFYaiEHIAggDyAQfCARWGohCCAJIA0gD3wgEVhqIQkgCiANIBB8IBFYaiEK',
  'IAsgDiAPfCARWGohCyAMIA4gEHwgEVhqIQwgACABaiEAIAJBAWshAgwACwsgBSAHNgIAIAUgCDYCBCAFIAk2AgggBSAKNgIMIAUgCzYC',
  'ECAFIAw2AhQLrwECBn4CfyAErSELQQApAwAhBkEIKQMAIQdBECkDACEIQRgpAwAhCSABIABqIQEgACACQQR0aiEMIAUhDQJAA0AgACAM',
  'Tw0BIAYgACkDAIV7IAcgACkDCIV7fCAIIAEpAwCFeyAJIAEpAwiFe3x8IQogCiALWARAIA0gAzYCACANIAqnNgIEIA1BCGohDQsgA0EB',
  'aiEDIABBEGohACABQRBqIQEMAAsLIA0gBWtBA3YLiwEBBX8gACABQQJ0aiEIIAQhCQJAA0AgACAITw0BIAAoAgAhBSACIAVBDHZBEXQg',
  'BUH/H3FBBHRqaiEGIAZBABAAIQcgByADTQRAIAcgBkGAgARqQRAQAGohByAHIANNBEAgCSAFNgIAIAkgBzYCBCAJQQhqIQkLCyAAQQRq',
  'IQAMAAsLIAkgBGtBA3YL',
].join('')

/** Hashes in blocks of this many, their first halves (bits 0 to 127 of the text) together and the second ones behind them. */
export const BLOCK = 4096
export const HALF_BYTES = 16
export const BLOCK_BYTES = BLOCK * 2 * HALF_BYTES
const HALVES_BYTES = BLOCK * HALF_BYTES

/** What the memory begins with: the query, slots to verify, and what was found. */
const LIST_AT = 1024
const FOUND_AT = 32_768
export const BLOCKS_AT = 65_536

/** WebAssembly's page, and how many of them 32-bit addresses reach: 134 million hashes. */
const PAGE_BYTES = 65_536
const MOST_PAGES = 65_536

/** Which two of a hash's four words of 64 bits are compared first; in the order of `sample`. */
export const PAIRS = [
  [0, 1],
  [2, 3],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
] as const

const WORD_BYTES = 8
/** Of a word, from where its hash begins. */
const OFFSETS = [0, WORD_BYTES, HALVES_BYTES, HALVES_BYTES + WORD_BYTES] as const

type Sift = (
  at: number,
  too: number,
  count: number,
  slot: number,
  queryX: number,
  queryY: number,
  limit: number,
  list: number,
) => number

interface Exports {
  readonly sift: Sift
  readonly sift_many: Sift
  sample(slot: number, step: number, count: number, blocks: number, limit: number, out: number): void
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
  /** How many of `count` hashes, every `step`th from a slot on, differ in at most `most` bits in each of the `PAIRS`. */
  sample(slot: number, step: number, count: number, most: number): readonly number[]
  /**
   * Compares the hashes of a block: those that get past their two words of the pair, and of these the other two. `many`:
   * quicker where more than a few get past. Returns the number of pairs of slot and distance at `found`; slots beyond
   * `count` can be among them (eight are compared at a time).
   */
  scan(block: number, count: number, pair: number, many: boolean, most: number): number
  /** The same, always all four words. */
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
    },
    sample(slot, step, count, most) {
      code.sample(slot, step, count, BLOCKS_AT, most, FOUND_AT)
      return Array.from(views.found.subarray(0, PAIRS.length))
    },
    scan(block, count, pair, many, most) {
      const at = BLOCKS_AT + block * BLOCK_BYTES
      const [x, y] = PAIRS[pair] ?? PAIRS[0]
      const listed = (many ? code.sift_many : code.sift)(
        at + OFFSETS[x],
        at + OFFSETS[y],
        count,
        block * BLOCK,
        x * WORD_BYTES,
        y * WORD_BYTES,
        most,
        LIST_AT,
      )
      return listed === 0 ? 0 : code.verify(LIST_AT, listed, BLOCKS_AT, most, FOUND_AT)
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
