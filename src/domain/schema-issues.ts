// What a schema finds wrong, said for people: the field, what was expected, what came; never a stranger's long text.
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

export interface SchemaFault {
  /** JSON pointer (RFC 6901) to the first field at fault; empty for the whole value. */
  readonly path: string
  /** One sentence for each of the first few issues, then how many more there are. */
  readonly message: string
  /** Fields at fault. */
  readonly issues: number
}

const NAMED = 3
const ECHO = 80

/** Says of `value` what `error` found in it. At most three issues are named, so a message stays below about 1,000 characters. */
export function describeIssues(error: z.core.$ZodError, value: unknown): SchemaFault {
  // A field's second complaint mostly follows from its first.
  const seen = new Set<string>()
  const issues = error.issues
    .map((issue) => meant(issue, value))
    .filter((issue) => {
      const place = JSON.stringify(issue.path.map(String))
      return !seen.has(place) && seen.add(place)
    })
  const first = issues[0]
  const named = issues.slice(0, NAMED).map((issue) => sentence(issue, value))
  const more = issues.length - named.length
  return {
    path: first === undefined ? '' : jsonPointer(first.path),
    message: named.join('; ') + (more > 0 ? `; and ${more} more` : ''),
    issues: issues.length,
  }
}

/** A value for a message: at most 80 characters, escaped so that it neither breaks a line nor turns its direction. */
export function shortened(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return quoted(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value)
    default:
      return `a ${typeof value}`
  }
}

function quoted(text: string): string {
  let safe = ''
  for (const c of text) {
    const hidden = /[\p{C}\p{Zl}\p{Zp}]/u.test(c)
    const part = hidden ? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}` : c === '"' || c === '\\' ? `\\${c}` : c
    if (safe.length + part.length > ECHO - 3) return `"${safe}…"`
    safe += part
  }
  return `"${safe}"`
}

/** Keys that are longer than any that a schema allows are cut off with what lies below them. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  let pointer = ''
  for (const key of path) {
    const part = String(key)
    if (part.length > 200 || !part.isWellFormed()) break
    pointer += `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }
  return pointer
}

/** Where one of several forms fits by type, what is wrong in its place: it says more than the list of forms. */
function meant(issue: Issue, value: unknown): Issue {
  if (issue.code !== 'invalid_union') return issue
  const at = valueAt(value, issue.path)
  const inner = issue.errors.map((form) => form[0]).filter((one) => one !== undefined)
  const near = inner.filter((one) => one.code !== 'invalid_type' || one.path.length > 0)
  // A field that is there and wrong says more of what was meant than one that is missing.
  const best = near.find((one) => valueAt(at, one.path) !== undefined) ?? near[0]
  return best === undefined ? issue : meant({ ...best, path: [...issue.path, ...best.path] }, value)
}

function sentence(issue: Issue, value: unknown): string {
  const at = valueAt(value, issue.path)
  const field = fieldName(issue.path)
  if (at === undefined && issue.code === 'invalid_type')
    return `${field} ${ownWords(issue) ?? `is required: it must be ${named(issue.expected)}`}`
  return `${field} ${expectation(issue, at)}`
}

function expectation(issue: Issue, at: unknown): string {
  const got = ` (got ${shortened(at)})`
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${named(issue.expected)}${got}`
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}${got}`
    case 'invalid_union': {
      const inner = issue.errors.map((branch) => branch[0]).filter((i) => i !== undefined)
      const forms = inner.map((i) => (i.code === 'invalid_type' ? named(i.expected) : i.message))
      return `must be ${forms.join(' or ')}${got}`
    }
    case 'invalid_key':
    case 'invalid_element': {
      const inner = issue.issues[0]
      return `has a name that ${inner === undefined ? 'does not fit' : expectation(inner, issue.path.at(-1))}`
    }
    case 'invalid_format': {
      const form =
        issue.format === 'regex' && issue.pattern !== undefined
          ? `must match ${issue.pattern}`
          : `must be a valid ${issue.format}`
      return `${ownWords(issue) ?? form}${got}`
    }
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}${got}`
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.slice(0, NAMED).map(shortened).join(', ')}`
    case 'too_big':
    case 'too_small': {
      const size = typeof at === 'string' && issue.origin === 'string' ? ` (got ${at.length} characters)` : got
      return `${ownWords(issue) ?? bound(issue)}${at === '' ? '' : size}`
    }
    default:
      return `${issue.message}${typeof at === 'object' || at === undefined ? '' : got}`
  }
}

function bound(issue: Extract<Issue, { code: 'too_big' | 'too_small' }>): string {
  const sized =
    issue.origin === 'string' ? ' characters' : issue.origin === 'array' || issue.origin === 'set' ? ' entries' : ''
  const words = issue.code === 'too_big' ? ['at most', 'less than'] : ['at least', 'more than']
  const limit = `${words[issue.inclusive === false ? 1 : 0]} ${issue.code === 'too_big' ? issue.maximum : issue.minimum}`
  return `must ${sized === '' ? 'be' : 'have'} ${limit}${sized}`
}

/** The message that a schema was given; the library's own begin otherwise. */
function ownWords(issue: Issue): string | undefined {
  return /^(Too |Invalid )/.test(issue.message) ? undefined : issue.message
}

function named(expected: string): string {
  if (expected === 'int') return 'a whole number'
  if (expected === 'number') return 'a finite number'
  if (expected === 'array') return 'a list'
  if (expected === 'object' || expected === 'record') return 'an object'
  return expected === 'null' ? 'null' : `a ${expected}`
}

function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'it'
  let name = ''
  for (const key of path) {
    if (typeof key === 'number') name += `[${key}]`
    else if (/^[A-Za-z_][\w-]{0,40}$/.test(String(key))) name += name === '' ? String(key) : `.${String(key)}`
    else name += `[${shortened(String(key))}]`
  }
  return name
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<PropertyKey, unknown>)[key]
  }
  return at
}
