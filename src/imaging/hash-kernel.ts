// Counting differing bits with the processor's own instruction: hash-kernel.wat, assembled; JavaScript has none (12 times slower).

/** Assembled from hash-kernel.wat; a test assembles it again and compares. */
export const MODULE = [
  'AGFzbQEAAAABPgdgAn9/AX9gBn9/f39/fwF/YAd/f39/f39/AX9gCH9/f39/f39/AX9gBX9/f39/AX9gAn9+AGAFf39/f38AAhABBGhv',
  'c3QGbWVtb3J5AgABAwoJAAECAwQFBgQEBzgHA29uZQABA3R3bwACBXRocmVlAAMEZm91cgAEBnNhbXBsZQAGB2NvbXBhcmUABwZ2ZXJp',
  'ZnkACArKGgkXACABIABBDHZBEXQgAEH/H3FBA3RqaguHAwIDfgN/IAVBA3QpAwAhBiAAIAVBD3RqIQAgA0EBaq0hCCAAIAFBA3RqIQkg',
  'BCEKAkADQCAAIAlPDQEgBiAAKQMAhXsgCH0gBiAAKQMIhXsgCH2EIQcgByAGIAApAxCFeyAIfYQgBiAAKQMYhXsgCH2EIQcgByAGIAAp',
  'AyCFeyAIfYQgBiAAKQMohXsgCH2EIQcgByAGIAApAzCFeyAIfYQgBiAAKQM4hXsgCH2EIQcgByAGIAApA0CFeyAIfYQgBiAAKQNIhXsg',
  'CH2EIQcgByAGIAApA1CFeyAIfYQgBiAAKQNYhXsgCH2EIQcgByAGIAApA2CFeyAIfYQgBiAAKQNohXsgCH2EIQcgByAGIAApA3CFeyAI',
  'fYQgBiAAKQN4hXsgCH2EIQcgB0IAUwRAIABBgAFqIQsDQCAKIAI2AgAgCiAGIAApAwCFeyAIVEECdGohCiACQQFqIQIgAEEIaiEAIAAg',
  'C0kNAAsFIAJBEGohAiAAQYABaiEACwwACwsgCiAEa0ECdgvPBAQCfwN7An4DfyAFQQN0/QoDACEJIAAgBUEPdGohByAGQQN0/QoDACEK',
  'IAAgBkEPdGohCCADQQFqrSENIAcgAUEDdGohDiAEIQ8CQANAIAcgDk8NASAJIAf9AAQA/VEgCiAI/QAEAP1R/VAhCyAL/R0AeyANfSAL',
  '/R0BeyANfYQhDCAJIAf9AAQQ/VEgCiAI/QAEEP1R/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAJIAf9AAQg/VEgCiAI/QAEIP1R',
  '/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAJIAf9AAQw/VEgCiAI/QAEMP1R/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAJ',
  'IAf9AARA/VEgCiAI/QAEQP1R/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAJIAf9AARQ/VEgCiAI/QAEUP1R/VAhCyAMIAv9HQB7',
  'IA19hCAL/R0BeyANfYQhDCAJIAf9AARg/VEgCiAI/QAEYP1R/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAJIAf9AARw/VEgCiAI',
  '/QAEcP1R/VAhCyAMIAv9HQB7IA19hCAL/R0BeyANfYQhDCAMQgBTBEAgB0GAAWohEANAIA8gAjYCACAPIAn9HQAgBykDAIUgCv0dACAI',
  'KQMAhYR7IA1UQQJ0aiEPIAJBAWohAiAHQQhqIQcgCEEIaiEIIAcgEEkNAAsFIAJBEGohAiAHQYABaiEHIAhBgAFqIQgLDAALCyAPIARr',
  'QQJ2C98FBAN/BHsCfgN/IAVBA3T9CgMAIQsgACAFQQ90aiEIIAZBA3T9CgMAIQwgACAGQQ90aiEJIAdBA3T9CgMAIQ0gACAHQQ90aiEK',
  'IANBAWqtIRAgCCABQQN0aiERIAQhEgJAA0AgCCARTw0BIAsgCP0ABAD9USAMIAn9AAQA/VH9UCANIAr9AAQA/VH9UCEOIA79HQB7IBB9',
  'IA79HQF7IBB9hCEPIAsgCP0ABBD9USAMIAn9AAQQ/VH9UCANIAr9AAQQ/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEPIAsgCP0A',
  'BCD9USAMIAn9AAQg/VH9UCANIAr9AAQg/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEPIAsgCP0ABDD9USAMIAn9AAQw/VH9UCAN',
  'IAr9AAQw/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEPIAsgCP0ABED9USAMIAn9AARA/VH9UCANIAr9AARA/VH9UCEOIA8gDv0d',
  'AHsgEH2EIA79HQF7IBB9hCEPIAsgCP0ABFD9USAMIAn9AARQ/VH9UCANIAr9AARQ/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEP',
  'IAsgCP0ABGD9USAMIAn9AARg/VH9UCANIAr9AARg/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEPIAsgCP0ABHD9USAMIAn9AARw',
  '/VH9UCANIAr9AARw/VH9UCEOIA8gDv0dAHsgEH2EIA79HQF7IBB9hCEPIA9CAFMEQCAIQYABaiETA0AgEiACNgIAIBIgC/0dACAIKQMA',
  'hSAM/R0AIAkpAwCFhCAN/R0AIAopAwCFhHsgEFRBAnRqIRIgAkEBaiECIAhBCGohCCAJQQhqIQkgCkEIaiEKIAggE0kNAAsFIAJBEGoh',
  'AiAIQYABaiEIIAlBgAFqIQkgCkGAAWohCgsMAAsLIBIgBGtBAnYLuQcEAX8GewJ+A39BAP0KAwAhBiAAIQVBCP0KAwAhB0EQ/QoDACEI',
  'QRj9CgMAIQkgA0EBaq0hDSAFIAFBA3RqIQ4gBCEPAkADQCAFIA5PDQEgBiAF/QAEAP1RIAcgBf0ABICAAv1R/VAhCiAIIAX9AASAgAT9',
  'USAJIAX9AASAgAb9Uf1QIQsgCv0dAHsgC/0dAHt8IA19IAr9HQF7IAv9HQF7fCANfYQhDCAGIAX9AAQQ/VEgByAF/QAEkIAC/VH9UCEK',
  'IAggBf0ABJCABP1RIAkgBf0ABJCABv1R/VAhCyAMIAr9HQB7IAv9HQB7fCANfYQgCv0dAXsgC/0dAXt8IA19hCEMIAYgBf0ABCD9USAH',
  'IAX9AASggAL9Uf1QIQogCCAF/QAEoIAE/VEgCSAF/QAEoIAG/VH9UCELIAwgCv0dAHsgC/0dAHt8IA19hCAK/R0BeyAL/R0Be3wgDX2E',
  'IQwgBiAF/QAEMP1RIAcgBf0ABLCAAv1R/VAhCiAIIAX9AASwgAT9USAJIAX9AASwgAb9Uf1QIQsgDCAK/R0AeyAL/R0Ae3wgDX2EIAr9',
  'HQF7IAv9HQF7fCANfYQhDCAGIAX9AARA/VEgByAF/QAEwIAC/VH9UCEKIAggBf0ABMCABP1RIAkgBf0ABMCABv1R/VAhCyAMIAr9HQB7',
  'IAv9HQB7fCANfYQgCv0dAXsgC/0dAXt8IA19hCEMIAYgBf0ABFD9USAHIAX9AATQgAL9Uf1QIQogCCAF/QAE0IAE/VEgCSAF/QAE0IAG',
  '/VH9UCELIAwgCv0dAHsgC/0dAHt8IA19hCAK/R0BeyAL/R0Be3wgDX2EIQwgBiAF/QAEYP1RIAcgBf0ABOCAAv1R/VAhCiAIIAX9AATg',
  'gAT9USAJIAX9AATggAb9Uf1QIQsgDCAK/R0AeyAL/R0Ae3wgDX2EIAr9HQF7IAv9HQF7fCANfYQhDCAGIAX9AARw/VEgByAF/QAE8IAC',
  '/VH9UCEKIAggBf0ABPCABP1RIAkgBf0ABPCABv1R/VAhCyAMIAr9HQB7IAv9HQB7fCANfYQgCv0dAXsgC/0dAXt8IA19hCEMIAxCAFME',
  'QCAFQYABaiEQA0AgDyACNgIAIA8gBv0dACAFKQMAhSAH/R0AIAUpA4CAAoWEeyAI/R0AIAUpA4CABIUgCf0dACAFKQOAgAaFhHt8IA1U',
  'QQJ0aiEPIAJBAWohAiAFQQhqIQUgBSAQSQ0ACwUgAkEQaiECIAVBgAFqIQULDAALCyAPIARrQQJ2CxoAIAAgAadBAnRqIQAgACAAKAIA',
  'QQFqNgIAC84CAgJ/Bn4CQANAIAJFDQEgACADEAAhBSAFQcAAaiEGA0BBACkDACAFKQMAhSEHQQgpAwAgBSkDgIAChSEIQRApAwAgBSkD',
  'gIAEhSEJQRgpAwAgBSkDgIAGhSEKIAcgCIQhCyAJIAqEIQwgBCAHexAFIARBgAhqIAh7EAUgBEGAEGogCXsQBSAEQYAYaiAKexAFIARB',
  'gCBqIAt7EAUgBEGAKGogByAJhHsQBSAEQYAwaiAHIAqEexAFIARBgDhqIAggCYR7EAUgBEGAwABqIAggCoR7EAUgBEGAyABqIAx7EAUg',
  'BEGA0ABqIAsgCYR7EAUgBEGA2ABqIAsgCoR7EAUgBEGA4ABqIAcgDIR7EAUgBEGA6ABqIAggDIR7EAUgBEGA8ABqIAt7IAx7fBAFIAVB',
  'CGohBSAFIAZJDQALIAAgAWohACACQQFrIQIMAAsLC6cBAgZ+An8gA60hCkEAKQMAIQVBCCkDACEGQRApAwAhB0EYKQMAIQggACABQQN0',
  'aiELIAQhDAJAA0AgACALTw0BIAUgACkDAIV7IAYgACkDgIAChXt8IAcgACkDgIAEhXsgCCAAKQOAgAaFe3x8IQkgCSAKWARAIAwgAjYC',
  'ACAMIAmnNgIEIAxBCGohDAsgAkEBaiECIABBCGohAAwACwsgDCAEa0EDdgulAQEFfyAAIAFBAnRqIQggBCEJAkADQCAAIAhPDQEgACgC',
  'ACEFIAUgAhAAIQZBACkDACAGKQMAhXtBCCkDACAGKQOAgAKFe3ynIQcgByADTQRAIAdBECkDACAGKQOAgASFe0EYKQMAIAYpA4CABoV7',
  'fKdqIQcgByADTQRAIAkgBTYCACAJIAc2AgQgCUEIaiEJCwsgAEEEaiEADAALCyAJIARrQQN2Cw==',
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
  ...[[0], [1], [2], [3]],
  ...[
    [0, 1],
    [0, 2],
    [0, 3],
    [1, 2],
    [1, 3],
    [2, 3],
  ],
  ...[
    [0, 1, 2],
    [0, 1, 3],
    [0, 2, 3],
    [1, 2, 3],
  ],
  [0, 1, 2, 3],
]

/** Of one way in a sample: how many hashes at each count of bits, up to 128. */
export const SAMPLE_ROW = 256

/** Hashes side by side that are sampled together: of one line of the processor's cache. */
export const SAMPLE_GROUP = 8

interface Exports {
  one(at: number, count: number, slot: number, limit: number, list: number, x: number): number
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
   * Counts of `groups` times `SAMPLE_GROUP` hashes, each group `step` slots after the one before: a row of `SAMPLE_ROW` for each
   * of the `WAYS`, in which lies how many hashes that way sees to differ in so many bits. Of the whole groups at `slot` and
   * `step`: both must be multiples of `SAMPLE_GROUP`.
   */
  sample(slot: number, step: number, groups: number): Uint32Array
  /**
   * Those of a block's hashes that differ in at most `bits` bits in the words of the way, and in at most `most` in all. Returns the
   * number of pairs of slot and distance at `found`; slots beyond `count` can be among them (sixteen are looked at at a time).
   */
  scan(block: number, count: number, way: number, bits: number, most: number): number
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
  const sift = (block: number, count: number, way: number, bits: number): number => {
    const at = BLOCKS_AT + block * BLOCK_BYTES
    const words = WAYS[way] ?? []
    const [x = 0, y = 0, z = 0] = words
    if (words.length === 1) return code.one(at, count, block * BLOCK, bits, LIST_AT, x)
    if (words.length === 2) return code.two(at, count, block * BLOCK, bits, LIST_AT, x, y)
    if (words.length === 3) return code.three(at, count, block * BLOCK, bits, LIST_AT, x, y, z)
    return code.four(at, count, block * BLOCK, bits, LIST_AT)
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
    scan(block, count, way, bits, most) {
      const listed = sift(block, count, way, bits)
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
