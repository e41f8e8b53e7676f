// Rows of a listing file: a listing, or `{listing, label}`; each becomes a listing or a reject with line, code and place.
import { isPathBelow, type Listing } from '../domain/listing.ts'
import { readJson } from '../events/json-text.ts'
import { parseFiledListing, parseListing } from '../listing/parse-listing.ts'
import { readLines } from '../api/ndjson.ts'
import { openInput } from './lines.ts'

export interface Reject {
  readonly line: number
  readonly code: string
  readonly message: string
  readonly path: string
}

export interface Label {
  readonly label: 'counterfeit' | 'legitimate'
  /** The counterfeit says so in its own words. */
  readonly overt?: boolean
  /** Labelled by where it comes from, not by a person who looked. */
  readonly weak?: boolean
}

export type Row =
  | {
      readonly kind: 'listing'
      readonly line: number
      readonly read: number
      readonly listing: Listing
      readonly label: Label | undefined
    }
  | { readonly kind: 'reject'; readonly line: number; readonly read: number; readonly reject: Reject }

/** Fields that are taken out of every listing first, as if the seller had not given them. */
export const MASKABLE = [
  'shipsFrom',
  'category',
  'price',
  'description',
  'brand',
  'condition',
  'seller',
  'language',
  'attributes',
] as const
export type Maskable = (typeof MASKABLE)[number]

export async function* readRows(
  path: string,
  /** `files`: pictures may be named by their paths. */
  options: { maxBytes: number; mask?: readonly Maskable[]; files?: boolean },
): AsyncGenerator<Row> {
  const input = openInput(path)
  for await (const { number: line, bytes } of readLines(input.chunks, options.maxBytes)) {
    const read = input.read()
    const reject = (code: string, message: string, at = ''): Row => ({
      kind: 'reject',
      line,
      read,
      reject: { line, code, message, path: at },
    })
    if (bytes === undefined) {
      yield reject('too-large', `the line must have at most ${options.maxBytes} bytes`)
      continue
    }
    const json = readJson(bytes)
    if (json.kind === 'problem') {
      yield reject(json.code, json.message)
      continue
    }
    if (!isObject(json.value)) {
      yield reject('not-an-object', 'a row must be a JSON object: a listing, or {listing, label}')
      continue
    }
    const labelled = isObject(json.value) && isObject(json.value['listing']) ? json.value : undefined
    const label = labelled === undefined ? undefined : readLabel(labelled)
    if (typeof label === 'string') {
      yield reject('invalid', label, '/label')
      continue
    }
    const data = labelled === undefined ? json.value : labelled['listing']
    const parsed = options.files === true ? parseFiledListing(data) : parseListing(data)
    if (parsed.kind !== 'ok') {
      const prefix = labelled === undefined ? '' : '/listing'
      const hint = options.files !== true && namesFile(data) ? FILES_HINT : ''
      yield parsed.kind === 'refuse'
        ? reject(parsed.code, parsed.message + hint, prefix + parsed.path)
        : reject('no-identity', parsed.message, prefix + parsed.path)
      continue
    }
    const listing = { ...parsed.value }
    for (const field of options.mask ?? []) delete listing[field]
    yield { kind: 'listing', line, read, listing, label }
  }
}

const FILES_HINT = '; pictures in files beside the listings are read with --images FOLDER'

/** Whether some picture is named by its path. */
const namesFile = (data: unknown): boolean =>
  isObject(data) &&
  Array.isArray(data['images']) &&
  data['images'].some((image) => isObject(image) && typeof image['url'] === 'string' && isPathBelow(image['url']))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readLabel(row: Record<string, unknown>): Label | undefined | string {
  const { label, overt, weak } = row
  if (label === undefined) return undefined
  if (typeof label !== 'string') return 'label must be text; "counterfeit" and "legitimate" are counted'
  // Somebody else's label, such as "other", is none of ours: the row is tried and counts for the shares only.
  if (label !== 'counterfeit' && label !== 'legitimate') return undefined
  return { label, ...(overt === true ? { overt } : {}), ...(weak === true ? { weak } : {}) }
}
