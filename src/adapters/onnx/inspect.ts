// Reads a model file of a stranger's disk before any runtime does: only the one graph that our training writes goes on.
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { TouchstoneError } from '../../errors.ts'

export interface Inspected {
  /** Version of the features that the model is asked with, as the file says. */
  readonly features: number
  /** Rows of its table. */
  readonly table: number
}

/** The operators in their order; whatever else a graph can do, a text model needs none of it. */
const OPERATORS = ['Gather', 'Mul', 'ReduceSum', 'Add', 'Sigmoid'] as const
const INPUTS = ['ids', 'values'] as const
const OUTPUTS = ['score', 'shares'] as const
const TENSORS = ['weights', 'bias', 'across'] as const
/** Beside the weights a file has less than 1 KiB; a comment or two more does no harm. */
const BESIDE = 64 * 1024
const EXTERNAL = 1

/**
 * What the file says of itself. Refuses what is larger than a table of `table` rows needs, names data outside of itself,
 * has other operators, inputs, outputs or tensors than a text model, or nested graphs and functions.
 *
 * @throws TouchstoneError `model-invalid`
 */
export function inspect(file: Uint8Array, table: number): Inspected {
  const most = table * 4 + BESIDE
  if (file.length > most) throw invalid(`it has ${file.length} bytes, more than ${most}`)
  try {
    const model = fieldsOf(file)
    const graphs = model.get(7) ?? []
    const [graph] = graphs
    if (graphs.length !== 1 || !(graph instanceof Uint8Array)) throw invalid('it is not one graph')
    if ((model.get(25) ?? []).length > 0) throw invalid('it has functions')
    const metadata = new Map(
      bytesOf(model, 14).map((entry) => {
        const fields = fieldsOf(entry)
        return [textOf(fields, 1), textOf(fields, 2)]
      }),
    )
    checkGraph(fieldsOf(graph), table)
    const said = { features: metadata.get('touchstone.features'), table: metadata.get('touchstone.table') }
    if (said.table !== String(table)) throw invalid(`its table has ${said.table ?? 'no'} rows, not ${table}`)
    if (said.features === undefined || !/^\d{1,9}$/.test(said.features))
      throw invalid('it does not say which features it is asked with')
    return { features: Number(said.features), table }
  } catch (error) {
    throw error instanceof TouchstoneError ? error : invalid('it is not an ONNX file', error)
  }
}

function checkGraph(graph: Fields, table: number): void {
  const nodes = bytesOf(graph, 1).map(fieldsOf)
  const operators = nodes.map((node) => textOf(node, 4))
  if (operators.join() !== OPERATORS.join()) throw invalid(`its operators are ${operators.slice(0, 20).join(', ')}`)
  for (const node of nodes) {
    if (textOf(node, 7) !== '') throw invalid('an operator is of a domain of its own')
    // Numbers only: tensors and graphs within attributes could point elsewhere.
    for (const attribute of bytesOf(node, 5).map(fieldsOf))
      if ([...attribute.keys()].some((field) => ![1, 3, 20].includes(field)))
        throw invalid('an operator has an attribute that is no number')
  }
  if ((graph.get(15) ?? []).length > 0) throw invalid('it has sparse tensors')
  const tensors = bytesOf(graph, 5).map(fieldsOf)
  same('tensors', namesOf(tensors, 8), TENSORS)
  same('inputs', namesOf(bytesOf(graph, 11).map(fieldsOf), 1), INPUTS)
  same('outputs', namesOf(bytesOf(graph, 12).map(fieldsOf), 1), OUTPUTS)
  for (const tensor of tensors) {
    if ((tensor.get(13) ?? []).length > 0 || tensor.get(14)?.includes(EXTERNAL) === true)
      throw invalid('it names data in another file')
  }
  const weights = tensors.find((t) => textOf(t, 8) === 'weights')
  if (weights?.get(1)?.join() !== String(table) || bytesOf(weights, 9)[0]?.length !== table * 4)
    throw invalid(`its weights are not ${table} numbers`)
}

const namesOf = (messages: readonly Fields[], field: number): string[] => messages.map((m) => textOf(m, field))

function same(what: string, names: readonly string[], expected: readonly string[]): void {
  if (names.toSorted().join() !== expected.toSorted().join())
    throw invalid(`its ${what} are ${names.slice(0, 20).join(', ')}`)
}

const invalid = (why: string, cause?: unknown): TouchstoneError =>
  new TouchstoneError('model-invalid', `the text model cannot be used: ${why}`, { cause })

/** All values of each field, in their order; a packed list of numbers stays bytes. */
type Fields = ReadonlyMap<number, (number | Uint8Array)[]>

function fieldsOf(message: Uint8Array): Fields {
  const reader = new BinaryReader(message)
  const fields = new Map<number, (number | Uint8Array)[]>()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    const values = fields.get(field) ?? []
    fields.set(field, values)
    if (type === WireType.LengthDelimited) values.push(reader.bytes())
    else if (type === WireType.Varint) values.push(Number(reader.int64()))
    else reader.skip(type, field)
  }
  return fields
}

const bytesOf = (fields: Fields, field: number): Uint8Array[] =>
  (fields.get(field) ?? []).filter((value) => value instanceof Uint8Array)

function textOf(fields: Fields, field: number): string {
  const last = fields.get(field)?.at(-1)
  return last instanceof Uint8Array ? Buffer.from(last).toString('utf8') : ''
}
