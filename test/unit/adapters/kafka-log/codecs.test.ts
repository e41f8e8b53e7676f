// Real: the unpacking of all four compressions, of bytes made by the rules of their formats; no broker.
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UNPACK } from '../../../../src/adapters/kafka-log/codecs.ts'

/** Literals, and copies of what came before: what both formats are made of. */
type Step = { readonly literal: Uint8Array } | { readonly back: number; readonly length: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ literal: fc.uint8Array({ minLength: 1, maxLength: 90 }) }),
  fc.record({ back: fc.integer({ min: 1, max: 200 }), length: fc.integer({ min: 4, max: 64 }) }),
)
/** Begins with a literal, so that every copy has something to copy. */
const steps = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.array(step, { maxLength: 40 }))
  .map(([literal, rest]): Step[] => [{ literal }, ...rest])

/** What the steps give, and the steps with copies that reach no further back than there is something. */
function play(given: readonly Step[]): { readonly whole: Buffer; readonly done: readonly Step[] } {
  const bytes: number[] = []
  const done = given.map((one): Step => {
    if ('literal' in one) {
      bytes.push(...one.literal)
      return one
    }
    const back = Math.min(one.back, bytes.length)
    for (let i = 0; i < one.length; i += 1) bytes.push(bytes[bytes.length - back] ?? 0)
    return { back, length: one.length }
  })
  return { whole: Buffer.from(bytes), done }
}

function snappy(given: readonly Step[], size: number): Buffer {
  const out: number[] = []
  for (let rest = size; ; rest >>>= 7) {
    out.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  for (const one of given) {
    if ('literal' in one) {
      const n = one.literal.length - 1
      out.push(...(n < 60 ? [n << 2] : [60 << 2, n]), ...one.literal)
    } else out.push(((one.length - 1) << 2) | 2, one.back & 255, one.back >> 8)
  }
  return Buffer.from(out)
}

/** As the Java client frames it: a magic, two versions, and each block behind its length. */
function xerial(...blocks: Buffer[]): Buffer {
  const head = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1])
  return Buffer.concat([head, ...blocks.flatMap((block) => [length32(block), block])])
}

const length32 = (block: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(block.length)
  return length
}

function lz4Block(given: readonly Step[]): Buffer {
  const out: number[] = []
  const extended = (n: number): number[] => {
    if (n < 15) return []
    const rest = n - 15
    return [...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255]
  }
  let literal: number[] = []
  for (const one of given) {
    if ('literal' in one) {
      literal.push(...one.literal)
      continue
    }
    const match = one.length - 4
    out.push((Math.min(literal.length, 15) << 4) | Math.min(match, 15), ...extended(literal.length), ...literal)
    out.push(one.back & 255, one.back >> 8, ...extended(match))
    literal = []
  }
  out.push(Math.min(literal.length, 15) << 4, ...extended(literal.length), ...literal)
  return Buffer.from(out)
}

/** `flags`: 0x60 for blocks of their own, 0x40 for blocks that reach into those before them. */
function lz4(flags: number, ...blocks: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0])]
  for (const block of blocks) {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat([...parts, Buffer.alloc(4)])
}

test('bytes that nobody packed end in one error that says so, and in no other', async () => {
  const heads = [Buffer.alloc(0), xerial(), lz4(0x60).subarray(0, 7), lz4(0x40).subarray(0, 7)]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ minLength: 1, maxLength: 200 }), async (head, rest) => {
      for (const unpack of Object.values(UNPACK)) {
        const input = Buffer.concat([head, rest])
        // Some of it may be well formed by chance; then it is small.
        const outcome = await unpack(input).catch((error: unknown) => error)
        if (Buffer.isBuffer(outcome)) expect(outcome.length).toBeLessThan(100_000)
        else expect(outcome).toMatchObject({ code: 'log-unreadable', retriable: false })
      }
    }),
    { numRuns: 300 },
  )
})

test('no batch unpacks to more than the limit, however small it is and whatever it says', async () => {
  const zeros = Buffer.alloc(1_000_000)
  const many: Step[] = [
    { literal: Uint8Array.of(7) },
    ...Array.from({ length: 20_000 }, (): Step => ({ back: 1, length: 64 })),
    { literal: Uint8Array.of(7) },
  ]
  const bombs = {
    gzip: gzipSync(zeros),
    zstd: zstdCompressSync(zeros),
    snappy: snappy(many, 2 + 20_000 * 64),
    lz4: lz4(0x60, lz4Block(many)),
  }
  for (const [name, bomb] of Object.entries(bombs)) {
    const unpack = UNPACK[name as keyof typeof UNPACK]
    await expect(unpack(bomb, 500_000), name).rejects.toMatchObject({ code: 'log-unreadable' })
    expect((await unpack(bomb, 2_000_000)).length, name).toBeGreaterThan(999_999)
  }
  // Blocks that are each below the limit are not below it together.
  const block = snappy(many, 2 + 20_000 * 64)
  await expect(UNPACK.snappy(xerial(block, block), 2_000_000)).rejects.toThrow('more than')
  await expect(UNPACK.lz4(lz4(0x60, lz4Block(many), lz4Block(many)), 2_000_000)).rejects.toThrow('more than')
})

test('a size that the bytes cannot have is refused before memory is taken for it', async () => {
  const before = process.memoryUsage().arrayBuffers
  await expect(UNPACK.snappy(Buffer.from([0xff, 0xff, 0xff, 0x3f, 0]))).rejects.toThrow('larger than it can be')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
})

test('what was packed comes back, raw and in frames, of one block and of several', async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (a, b) => {
      const [one, two] = [play(a), play(b)]
      const both = Buffer.concat([one.whole, two.whole])
      const parts = [snappy(one.done, one.whole.length), snappy(two.done, two.whole.length)] as const
      expect(await UNPACK.snappy(parts[0])).toEqual(one.whole)
      expect(await UNPACK.snappy(xerial(...parts))).toEqual(both)
      expect(await UNPACK.lz4(lz4(0x60, lz4Block(one.done), lz4Block(two.done)))).toEqual(both)
      expect(await UNPACK.gzip(gzipSync(both))).toEqual(both)
      expect(await UNPACK.zstd(zstdCompressSync(both))).toEqual(both)
    }),
  )
})

test('a block of lz4 repeats bytes of the block before it where its frame allows that, and nowhere else', async () => {
  const first = lz4Block([{ literal: Buffer.from('abcdefgh') }])
  const second = lz4Block([{ back: 8, length: 20 }, { literal: Buffer.from('end') }])
  expect((await UNPACK.lz4(lz4(0x40, first, second))).toString()).toBe('abcdefghabcdefghabcdefghabcdend')
  await expect(UNPACK.lz4(lz4(0x60, first, second))).rejects.toThrow('reaches outside')
})
