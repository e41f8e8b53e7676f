// Writes a linear text model as an ONNX file: the few messages of onnx.proto that it takes, in a fixed order of bytes.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** A file that every onnxruntime of the last years reads: the opset in which ReduceSum got its axes as an input has 13. */
const OPSET = 17
const IR_VERSION = 8
const FLOAT = 1
const INT32 = 6
const INT64 = 7
const ATTRIBUTE_INT = 2

export interface LinearModel {
  /** By row of the table, calibrated: in log-odds. */
  readonly weights: Float32Array
  readonly bias: number
  /** Version of the features that it is asked with. */
  readonly features: number
}

/**
 * Inputs `ids` int32 [n, k] and `values` float [n, k], padded with row 0; outputs `score` float [n], 0 to 1, and `shares`
 * float [n, k], what each feature adds to the log-odds. The same model gives the same bytes.
 */
export function writeOnnx(model: LinearModel): Uint8Array {
  const table = model.weights.length
  const graph = new BinaryWriter()
  node(graph, 'Gather', ['weights', 'ids'], 'rows', { axis: 0 })
  node(graph, 'Mul', ['rows', 'values'], 'shares', {})
  node(graph, 'ReduceSum', ['shares', 'across'], 'sum', { keepdims: 0 })
  node(graph, 'Add', ['sum', 'bias'], 'logit', {})
  node(graph, 'Sigmoid', ['logit'], 'score', {})
  graph.tag(2, WireType.LengthDelimited).string('text')
  tensor(graph, 'weights', FLOAT, [table], floats(model.weights))
  tensor(graph, 'bias', FLOAT, [1], floats(Float32Array.of(model.bias)))
  tensor(graph, 'across', INT64, [1], Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))
  value(graph, 11, 'ids', INT32, ['n', 'k'])
  value(graph, 11, 'values', FLOAT, ['n', 'k'])
  value(graph, 12, 'score', FLOAT, ['n'])
  value(graph, 12, 'shares', FLOAT, ['n', 'k'])

  const file = new BinaryWriter()
  file.tag(1, WireType.Varint).int64(IR_VERSION)
  file.tag(2, WireType.LengthDelimited).string('touchstone')
  file.tag(7, WireType.LengthDelimited).bytes(graph.finish())
  message(file, 8, (opset) => opset.tag(2, WireType.Varint).int64(OPSET))
  for (const [key, text] of [
    ['touchstone.features', String(model.features)],
    ['touchstone.table', String(table)],
  ] as const) {
    message(file, 14, (entry) =>
      entry.tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(text),
    )
  }
  return file.finish()
}

function message(into: BinaryWriter, field: number, write: (inner: BinaryWriter) => unknown): void {
  const inner = new BinaryWriter()
  write(inner)
  into.tag(field, WireType.LengthDelimited).bytes(inner.finish())
}

function node(
  graph: BinaryWriter,
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>>,
): void {
  message(graph, 1, (n) => {
    for (const input of inputs) n.tag(1, WireType.LengthDelimited).string(input)
    n.tag(2, WireType.LengthDelimited).string(output)
    n.tag(4, WireType.LengthDelimited).string(operator)
    for (const [name, number] of Object.entries(attributes)) {
      message(n, 5, (a) => {
        a.tag(1, WireType.LengthDelimited).string(name)
        a.tag(3, WireType.Varint).int64(number)
        a.tag(20, WireType.Varint).int32(ATTRIBUTE_INT)
      })
    }
  })
}

function tensor(graph: BinaryWriter, name: string, type: number, shape: readonly number[], data: Uint8Array): void {
  message(graph, 5, (t) => {
    for (const size of shape) t.tag(1, WireType.Varint).int64(size)
    t.tag(2, WireType.Varint).int32(type)
    t.tag(8, WireType.LengthDelimited).string(name)
    t.tag(9, WireType.LengthDelimited).bytes(data)
  })
}

function value(graph: BinaryWriter, field: 11 | 12, name: string, type: number, shape: readonly string[]): void {
  message(graph, field, (info) => {
    info.tag(1, WireType.LengthDelimited).string(name)
    message(info, 2, (t) =>
      message(t, 1, (tensorType) => {
        tensorType.tag(1, WireType.Varint).int32(type)
        message(tensorType, 2, (sizes) => {
          for (const size of shape) message(sizes, 1, (d) => d.tag(2, WireType.LengthDelimited).string(size))
        })
      }),
    )
  })
}

/** ONNX keeps numbers low byte first, whatever the machine does. */
function floats(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4)
  const view = new DataView(bytes.buffer)
  numbers.forEach((n, i) => view.setFloat32(i * 4, n, true))
  return bytes
}
