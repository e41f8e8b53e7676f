// Counting differing bits with the processor's own instruction: hash-kernel.wat, assembled; JavaScript has none (12 times slower).

/** Assembled from hash-kernel.wat; a test assembles it again and compares. */
export const MODULE = [
  'AGFzbQEAAAABNAZgAn9/AX9gB39/f39/f38Bf2AIf39/f39/f38Bf2AFf39/f38Bf2ACf34AYAV/f39/fwACEAEEaG9zdAZtZW1vcnkC',
  'AAEDCQgAAQIDBAUDAwcyBgN0d28AAQV0aHJlZQACBGZvdXIAAwZzYW1wbGUABQdjb21wYXJlAAYGdmVyaWZ5AAcKkRcIFwAgASAAQQx2',
  'QRF0IABB/x9xQQN0amoLzwQEAn8DewJ+A38gBUEDdP0KAwAhCSAAIAVBD3RqIQcgBkEDdP0KAwAhCiAAIAZBD3RqIQggA0EBaq0hDSAH',
  'IAFBA3RqIQ4gBCEPAkADQCAHIA5PDQEgCSAH/QAEAP1RIAogCP0ABAD9Uf1QIQsgC/0dAHsgDX0gC/0dAXsgDX2EIQwgCSAH/QAEEP1R',
  'IAogCP0ABBD9Uf1QIQsgDCAL/R0AeyANfYQgC/0dAXsgDX2EIQwgCSAH/QAEIP1RIAogCP0ABCD9Uf1QIQsgDCAL/R0AeyANfYQgC/0d',
  'AXsgDX2EIQwgCSAH/QAEMP1RIAogCP0ABDD9Uf1QIQsgDCAL/R0AeyANfYQgC/0dAXsgDX2EIQwgCSAH/QAEQP1RIAogCP0ABED9Uf1Q',
  'IQsgDCAL/R0AeyANfYQgC/0dAXsgDX2EIQwgCSAH/QAEUP1RIAogCP0ABFD9Uf1QIQsgDCAL/R0AeyANfYQgC/0dAXsgDX2EIQwgCSAH',
  '/QAEYP1RIAogCP0ABGD9Uf1QIQsgDCAL/R0AeyANfYQgC/0dAXsgDX2EIQwgCSAH/QAEcP1RIAogCP0ABHD9Uf1QIQsgDCAL/R0AeyAN',
  'fYQgC/0dAXsgDX2EIQwgDEIAUwRAIAdBgAFqIRADQCAPIAI2AgAgDyAJ/R0AIAcpAwCFIAr9HQAgCCkDAIWEeyANVEECdGohDyACQQFq',
  'IQIgB0EIaiEHIAhBCGohCCAHIBBJDQALBSACQRBqIQIgB0GAAWohByAIQYABaiEICwwACwsgDyAEa0ECdgvfBQQDfwR7An4DfyAFQQN0',
  '/QoDACELIAAgBUEPdGohCCAGQQN0/QoDACEMIAAgBkEPdGohCSAHQQN0/QoDACENIAAgB0EPdGohCiADQQFqrSEQIAggAUEDdGohESAE',
  'IRICQANAIAggEU8NASALIAj9AAQA/VEgDCAJ/QAEAP1R/VAgDSAK/QAEAP1R/VAhDiAO/R0AeyAQfSAO/R0BeyAQfYQhDyALIAj9AAQQ',
  '/VEgDCAJ/QAEEP1R/VAgDSAK/QAEEP1R/VAhDiAPIA79HQB7IBB9hCAO/R0BeyAQfYQhDyALIAj9AAQg/VEgDCAJ/QAEIP1R/VAgDSAK',
  '/QAEIP1R/VAhDiAPIA79HQB7IBB9hCAO/R0BeyAQfYQhDyALIAj9AAQw/VEgDCAJ/QAEMP1R/VAgDSAK/QAEMP1R/VAhDiAPIA79HQB7',
  'IBB9hCAO/R0BeyAQfYQhDyALIAj9AARA/VEgDCAJ/QAEQP1R/VAgDSAK/QAEQP1R/VAhDiAPIA79HQB7IBB9hCAO/R0BeyAQfYQhDyAL',
  'IAj9AARQ/VEgDCAJ/QAEUP1R/VAgDSAK/QAEUP1R/VAhDiAPIA79HQB7IBB9hCAO/R0BeyAQfYQhDyALIAj9AARg/VEgDCAJ/QAEYP1R',
  '/VAgDSAK/QAEYP1R/VAhDiAPIA79HQB7IBB9hCAO/R0BeyAQfYQhDyALIAj9AARw/VEgDCAJ/QAEcP1R/VAgDSAK/QAEcP1R/VAhDiAP',
  'IA79HQB7IBB9hCAO/R0BeyAQfYQhDyAPQgBTBEAgCEGAAWohEwNAIBIgAjYCACASIAv9HQAgCCkDAIUgDP0dACAJKQMAhYQgDf0dACAK',
  'KQMAhYR7IBBUQQJ0aiESIAJBAWohAiAIQQhqIQggCUEIaiEJIApBCGohCiAIIBNJDQALBSACQRBqIQIgCEGAAWohCCAJQYABaiEJIApB',
  'gAFqIQoLDAALCyASIARrQQJ2C7kHBAF/BnsCfgN/QQD9CgMAIQYgACEFQQj9CgMAIQdBEP0KAwAhCEEY/QoDACEJIANBAWqtIQ0gBSAB',
  'QQN0aiEOIAQhDwJAA0AgBSAOTw0BIAYgBf0ABAD9USAHIAX9AASAgAL9Uf1QIQogCCAF/QAEgIAE/VEgCSAF/QAEgIAG/VH9UCELIAr9',
  'HQB7IAv9HQB7fCANfSAK/R0BeyAL/R0Be3wgDX2EIQwgBiAF/QAEEP1RIAcgBf0ABJCAAv1R/VAhCiAIIAX9AASQgAT9USAJIAX9AASQ',
  'gAb9Uf1QIQsgDCAK/R0AeyAL/R0Ae3wgDX2EIAr9HQF7IAv9HQF7fCANfYQhDCAGIAX9AAQg/VEgByAF/QAEoIAC/VH9UCEKIAggBf0A',
  'BKCABP1RIAkgBf0ABKCABv1R/VAhCyAMIAr9HQB7IAv9HQB7fCANfYQgCv0dAXsgC/0dAXt8IA19hCEMIAYgBf0ABDD9USAHIAX9AASw',
  'gAL9Uf1QIQogCCAF/QAEsIAE/VEgCSAF/QAEsIAG/VH9UCELIAwgCv0dAHsgC/0dAHt8IA19hCAK/R0BeyAL/R0Be3wgDX2EIQwgBiAF',
  '/QAEQP1RIAcgBf0ABMCAAv1R/VAhCiAIIAX9AATAgAT9USAJIAX9AATAgAb9Uf1QIQsgDCAK/R0AeyAL/R0Ae3wgDX2EIAr9HQF7IAv9',
  'HQF7fCANfYQhDCAGIAX9AARQ/VEgByAF/QAE0IAC/VH9UCEKIAggBf0ABNCABP1RIAkgBf0ABNCABv1R/VAhCyAMIAr9HQB7IAv9HQB7',
  'fCANfYQgCv0dAXsgC/0dAXt8IA19hCEMIAYgBf0ABGD9USAHIAX9AATggAL9Uf1QIQogCCAF/QAE4IAE/VEgCSAF/QAE4IAG/VH9UCEL',
  'IAwgCv0dAHsgC/0dAHt8IA19hCAK/R0BeyAL/R0Be3wgDX2EIQwgBiAF/QAEcP1RIAcgBf0ABPCAAv1R/VAhCiAIIAX9AATwgAT9USAJ',
  'IAX9AATwgAb9Uf1QIQsgDCAK/R0AeyAL/R0Ae3wgDX2EIAr9HQF7IAv9HQF7fCANfYQhDCAMQgBTBEAgBUGAAWohEANAIA8gAjYCACAP',
  'IAb9HQAgBSkDAIUgB/0dACAFKQOAgAKFhHsgCP0dACAFKQOAgASFIAn9HQAgBSkDgIAGhYR7fCANVEECdGohDyACQQFqIQIgBUEIaiEF',
  'IAUgEEkNAAsFIAJBEGohAiAFQYABaiEFCwwACwsgDyAEa0ECdgsaACAAIAGnQQJ0aiEAIAAgACgCAEEBajYCAAueAgICfwZ+AkADQCAC',
  'RQ0BIAAgAxAAIQUgBUHAAGohBgNAQQApAwAgBSkDAIUhB0EIKQMAIAUpA4CAAoUhCEEQKQMAIAUpA4CABIUhCUEYKQMAIAUpA4CABoUh',
  'CiAHIAiEIQsgCSAKhCEMIAQgC3sQBCAEQYAIaiAHIAmEexAEIARBgBBqIAcgCoR7EAQgBEGAGGogCCAJhHsQBCAEQYAgaiAIIAqEexAE',
  'IARBgChqIAx7EAQgBEGAMGogCyAJhHsQBCAEQYA4aiALIAqEexAEIARBgMAAaiAHIAyEexAEIARBgMgAaiAIIAyEexAEIARBgNAAaiAL',
  'eyAMe3wQBCAFQQhqIQUgBSAGSQ0ACyAAIAFqIQAgAkEBayECDAALCwunAQIGfgJ/IAOtIQpBACkDACEFQQgpAwAhBkEQKQMAIQdBGCkD',
  'ACEIIAAgAUEDdGohCyAEIQwCQANAIAAgC08NASAFIAApAwCFeyAGIAApA4CAAoV7fCAHIAApA4CABIV7IAggACkDgIAGhXt8fCEJIAkg',
  'ClgEQCAMIAI2AgAgDCAJpzYCBCAMQQhqIQwLIAJBAWohAiAAQQhqIQAMAAsLIAwgBGtBA3YLpQEBBX8gACABQQJ0aiEIIAQhCQJAA0Ag',
  'ACAITw0BIAAoAgAhBSAFIAIQACEGQQApAwAgBikDAIV7QQgpAwAgBikDgIAChXt8pyEHIAcgA00EQCAHQRApAwAgBikDgIAEhXtBGCkD',
  'ACAGKQOAgAaFe3ynaiEHIAcgA00EQCAJIAU2AgAgCSAHNgIEIAlBCGohCQsLIABBBGohAAwACwsgCSAEa0EDdgs=',
].join('')

/** Hashes in blocks of this many: four planes, of the first words of 64 bits of all of them, then the second ones and so on. */
export const BLOCK = 4096
export const WORDS = 4
export const WORD_BYTES = 8
export const PLANE_BYTES = BLOCK * WORD_BYTES
export const BLOCK_BYTES = WORDS * PLANE_BYTES

/** What the memory begins with: the query, slots to verify, what a sample says, and what was found. */
const LIST_AT = 1024
const SAMPLE_AT = LIST_AT + 4 * BLOCK
const FOUND_AT = 32_768
export const BLOCKS_AT = 65_536

/** WebAssembly's page, and how many of them 32-bit addresses reach: 134 million hashes. */
const PAGE_BYTES = 65_536
const MOST_PAGES = 65_536

/** Which of a hash's four words are looked at, for those that get past to be compared in full; in the order of `sample`. */
export const WAYS: readonly (readonly number[])[] = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
  [0, 1, 2],
  [0, 1, 3],
  [0, 2, 3],
  [1, 2, 3],
  [0, 1, 2, 3],
]

/** Of one way in a sample: how many hashes at each count of bits, up to 128. */
export const SAMPLE_ROW = 256

/** Hashes side by side that are sampled together: of one line of the processor's cache. */
export const SAMPLE_GROUP = 8

interface Exports {
  two(at: number, count: number, slot: number, limit: number, list: number, x: number, y: number): number
  three(at: number, count: number, slot: number, limit: number, list: number, x: number, y: number, z: number): number
  four(at: number, count: number, slot: number, limit: number, list: number): number
  sample(slot: number, step: number, groups: number, blocks: number, out: number): void
  compare(at: number, count: number, slot: number, limit: number, out: number): number
  verify(list: number, count: number, blocks: number, most: number, out: number): number
}

export interface Kernel {
  /** Of the memory; gone stale after `grow`. */
  bytes(): Uint8Array
  /** Makes room for blocks in all. Throws RangeError beyond 134 million hashes. */
  grow(blocks: number): void
  setQuery(hash: Uint8Array): void
  /**
   * A row of `SAMPLE_ROW` for each of the `WAYS`: how many hashes it sees to differ in so many bits, never more than they do. Of
   * `groups` times `SAMPLE_GROUP` hashes; the first group begins at `slot`, each other `step` slots after the one before (both
   * multiples of `SAMPLE_GROUP`).
   */
  sample(slot: number, step: number, groups: number): Uint32Array
  /**
   * Compares those of a block's hashes that get past the way. Returns the number of pairs of slot and distance at `found`; slots
   * beyond `count` can be among them (sixteen are looked at at a time).
   */
  scan(block: number, count: number, way: number, most: number): number
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
  const sift = (block: number, count: number, way: number, most: number): number => {
    const [at, slot] = [BLOCKS_AT + block * BLOCK_BYTES, block * BLOCK]
    const words = WAYS[way] ?? []
    const [x = 0, y = 0, z = 0] = words
    if (words.length === 2) return code.two(at, count, slot, most, LIST_AT, x, y)
    if (words.length === 3) return code.three(at, count, slot, most, LIST_AT, x, y, z)
    return code.four(at, count, slot, most, LIST_AT)
  }
  return {
    bytes: () => views.bytes,
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
    sample(slot, step, groups) {
      views.sample.fill(0)
      code.sample(slot, step, groups, BLOCKS_AT, SAMPLE_AT)
      return views.sample
    },
    scan(block, count, way, most) {
      const listed = sift(block, count, way, most)
      return listed === 0 ? 0 : code.verify(LIST_AT, listed, BLOCKS_AT, most, FOUND_AT)
    },
    compare: (block, count, most) =>
      code.compare(BLOCKS_AT + block * BLOCK_BYTES, count, block * BLOCK, most, FOUND_AT),
    verify: (count, most) => code.verify(LIST_AT, count, BLOCKS_AT, most, FOUND_AT),
    list: () => views.list,
    found: () => views.found,
  }
}

const viewsOf = ({ buffer }: WebAssembly.Memory) => ({
  bytes: new Uint8Array(buffer),
  list: new Uint32Array(buffer, LIST_AT, BLOCK),
  sample: new Uint32Array(buffer, SAMPLE_AT, WAYS.length * SAMPLE_ROW),
  found: new Uint32Array(buffer, FOUND_AT, 2 * BLOCK),
})
