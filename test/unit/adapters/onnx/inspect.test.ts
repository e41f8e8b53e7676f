// Which model files are refused before a runtime sees them. Real: the reader, and files that training writes, damaged in every way.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inspect } from '../../../../src/adapters/onnx/inspect.ts'
import { writeOnnx } from '../../../../src/learning/text/onnx-file.ts'

const TABLE = 16
const good = writeOnnx({ weights: new Float32Array(TABLE).fill(0.5), bias: 0.25, features: 1 })

/** The message with each value of one field given another content. */
function change(message: Uint8Array, field: number, to: (inner: Uint8Array) => Uint8Array): Uint8Array {
  const reader = new BinaryReader(message)
  const writer = new BinaryWriter()
  while (reader.pos < reader.len) {
    const [n, type] = reader.tag()
    writer.tag(n, type)
    if (type === WireType.Varint) writer.int64(reader.int64())
    else writer.bytes(n === field ? to(reader.bytes()) : reader.bytes())
  }
  return writer.finish()
}
const more = (field: number, bytes: Uint8Array) => (message: Uint8Array) =>
  Buffer.concat([message, new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish()])
const flag = (field: number, value: number) => (message: Uint8Array) =>
  Buffer.concat([message, new BinaryWriter().tag(field, WireType.Varint).int64(value).finish()])
const graph = (to: (inner: Uint8Array) => Uint8Array) => change(good, 7, to)
const text = (words: string) => new TextEncoder().encode(words)
/** Swaps words of the same length. */
const swap = (from: string, to: string) => {
  const at = Buffer.from(good).indexOf(from)
  expect(at).toBeGreaterThan(0)
  const copy = Buffer.from(good)
  copy.write(to, at)
  return copy
}

const refused = (file: Uint8Array, why: RegExp, table = TABLE) =>
  expect(() => inspect(file, table)).toThrow(
    expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(why) }),
  )

describe('a model file from a stranger’s disk', () => {
  it('is refused when its data lies in another file, wherever it says so', () => {
    const entry = new BinaryWriter()
      .tag(1, WireType.LengthDelimited)
      .string('location')
      .tag(2, WireType.LengthDelimited)
      .string('../key.pem')
      .finish()
    refused(
      graph((g) => change(g, 5, more(13, entry))),
      /another file/,
    )
    refused(
      graph((g) => change(g, 5, flag(14, 1))),
      /another file/,
    )
    const attribute = new BinaryWriter()
      .tag(1, WireType.LengthDelimited)
      .string('value')
      .tag(5, WireType.LengthDelimited)
      .bytes(more(13, entry)(new Uint8Array()))
      .finish()
    refused(
      graph((g) => change(g, 1, more(5, attribute))),
      /no number/,
    )
  })

  it('is refused when its graph does anything but what a text model does', () => {
    refused(swap('Sigmoid', 'Softmax'), /operators are .*Softmax/)
    refused(
      graph(more(1, new BinaryWriter().tag(4, WireType.LengthDelimited).string('Loop').finish())),
      /operators are .*Loop/,
    )
    refused(
      graph((g) => change(g, 1, more(7, text('evil')))),
      /domain of its own/,
    )
    refused(graph(more(15, new Uint8Array())), /sparse/)
    refused(more(25, new Uint8Array())(good), /functions/)
    refused(more(7, new Uint8Array())(good), /not one graph/)
    refused(graph(more(5, new BinaryWriter().tag(8, WireType.LengthDelimited).string('more').finish())), /tensors are/)
    refused(new Uint8Array(), /not one graph/)
  })

  it('is refused when it is too large, of another size, or does not say its features', () => {
    refused(Buffer.concat([good, Buffer.alloc(80 * 1024)]), /bytes, more than/)
    refused(good, /weights are not 32 numbers/, 32)
    refused(
      change(good, 14, () => new Uint8Array()),
      /table has no rows/,
    )
    refused(writeOnnx({ weights: new Float32Array(TABLE), bias: 0, features: 0.5 }), /which features/)
  })

  it('is refused as `model-invalid`, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        refused(bytes, /cannot be used/)
      }),
      { numRuns: 200 },
    )
    for (let end = 0; end < good.length - 60; end += 3) refused(good.subarray(0, end), /cannot be used/)
  })

  it('is taken when training wrote it', () => {
    expect(inspect(good, TABLE)).toEqual({ features: 1, table: TABLE })
  })
})
