// Reads a file of brands for `touchstone brands import`: good rows are kept, every other one is named with its reason.
import { brandSchema, type Brand } from '../domain/brand.ts'
import { messageOf, type ErrorCode } from '../errors.ts'
import words from './data/common-words.json' with { type: 'json' }

export interface BrandReject {
  /** From 1; in a JSON array the place of the element. */
  readonly line: number
  readonly code: Extract<ErrorCode, 'not-json' | 'brand-invalid'>
  readonly message: string
  /** JSON pointer to the field at fault; empty for the whole row. */
  readonly path: string
}

export interface BrandWarning {
  readonly line: number
  readonly brandId: string
  readonly message: string
}

export interface BrandFile {
  readonly brands: readonly Brand[]
  readonly rejects: readonly BrandReject[]
  readonly warnings: readonly BrandWarning[]
}

let common: ReadonlySet<string> | undefined

/** Whether a name is, in any case, one of the commonest English words, so that most texts with it mean no brand. */
export function isCommonWord(name: string): boolean {
  common ??= new Set(words.split(' '))
  return common.has(name.trim().toLowerCase())
}

/** Takes a JSON array of brands or one brand a line (NDJSON). Never throws; a brandId that comes twice is rejected the second time. */
export function parseBrandFile(text: string): BrandFile {
  const brands: Brand[] = []
  const rejects: BrandReject[] = []
  const warnings: BrandWarning[] = []
  const seen = new Set<string>()
  const input = text.replace(/^\uFEFF/, '')
  for (const { line, value, error } of input.trimStart().startsWith('[') ? elements(input) : lines(input)) {
    if (error !== undefined) {
      rejects.push({ line, code: 'not-json', message: error, path: '' })
      continue
    }
    const result = brandSchema.safeParse(value)
    if (!result.success) {
      const issue = result.error.issues[0]
      rejects.push({
        line,
        code: 'brand-invalid',
        message: issue?.message ?? 'does not fit',
        path: pointer(issue?.path ?? []),
      })
      continue
    }
    const brand = result.data
    if (seen.has(brand.brandId)) {
      rejects.push({
        line,
        code: 'brand-invalid',
        message: `brandId ${brand.brandId} stands in the file twice`,
        path: '/brandId',
      })
      continue
    }
    seen.add(brand.brandId)
    brands.push(brand)
    if (!brand.ambiguous && isCommonWord(brand.name)) {
      warnings.push({
        line,
        brandId: brand.brandId,
        message: `${brand.name} is also a common word: set "ambiguous": true, or every listing with the word is taken for the brand's`,
      })
    }
  }
  return { brands, rejects, warnings }
}

interface Row {
  readonly line: number
  readonly value?: unknown
  readonly error?: string
}

function elements(text: string): Row[] {
  const { value, error } = parse(text)
  if (error !== undefined) return [{ line: 1, error }]
  return Array.isArray(value)
    ? value.map((element: unknown, i) => ({ line: i + 1, value: element }))
    : [{ line: 1, value }]
}

function* lines(text: string): Generator<Row> {
  let line = 0
  for (const row of text.split('\n')) {
    line++
    if (row.trim() !== '') yield { line, ...parse(row) }
  }
}

function parse(text: string): { value?: unknown; error?: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (thrown) {
    return { error: messageOf(thrown) }
  }
}

const pointer = (path: readonly PropertyKey[]) =>
  path.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
