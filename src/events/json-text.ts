// Bytes to one JSON value, strictly: what is wrong is said with its place, so that a stranger can mend it.

export interface JsonProblem {
  readonly kind: 'problem'
  readonly code: 'empty' | 'not-utf8' | 'not-json'
  /** Names line, column and byte, and what was expected there. */
  readonly message: string
}

export type JsonReading = { readonly kind: 'json'; readonly value: unknown } | JsonProblem

/** Listings nest three deep and decisions a little more; whatever walks a value recursively is safe at this depth. */
export const MAX_JSON_DEPTH = 64

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads one JSON value from UTF-8 bytes; a leading byte order mark is passed over. Linear in the length, never throws. */
export function readJson(bytes: Uint8Array | null): JsonReading {
  if (bytes === null || bytes.length === 0) {
    return { kind: 'problem', code: 'empty', message: 'the value is empty; expected one JSON object in UTF-8' }
  }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    const at = firstBadByte(bytes)
    const byte = (bytes[at] ?? 0).toString(16).padStart(2, '0')
    return { kind: 'problem', code: 'not-utf8', message: `byte ${at} (0x${byte}) does not belong to well-formed UTF-8` }
  }
  const tooDeep = firstTooDeep(text)
  if (tooDeep !== undefined) return notJson(text, tooDeep, `values may nest at most ${MAX_JSON_DEPTH} deep`)
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown }
  } catch {
    const fault = findJsonFault(text)
    return notJson(text, fault.at, `expected ${fault.expected}, found ${found(text, fault.at)}`)
  }
}

/** Index of the first byte that begins or breaks an ill-formed sequence (Unicode 16, table 3-7); the length if there is none. */
export function firstBadByte(bytes: Uint8Array): number {
  let i = 0
  while (i < bytes.length) {
    const lead = bytes[i] ?? 0
    if (lead < 0x80) {
      i += 1
      continue
    }
    const more =
      lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0
    if (more === 0) return i
    // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    for (let k = 1; k <= more; k += 1) {
      const byte = bytes[i + k]
      if (byte === undefined) return i
      if (byte < (k === 1 ? low : 0x80) || byte > (k === 1 ? high : 0xbf)) return i + k
    }
    i += more + 1
  }
  return bytes.length
}

/** Index of the bracket that opens the first level that is too deep; strings are passed over natively, they may be megabytes. */
function firstTooDeep(text: string): number | undefined {
  let depth = 0
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = endOfString(text, i)
    else if (c === 0x5b || c === 0x7b) {
      depth += 1
      if (depth > MAX_JSON_DEPTH) return i
    } else if (c === 0x5d || c === 0x7d) depth -= 1
  }
  return undefined
}

/** Index of the quote that closes the string opened at `open`; the text's length where it is never closed. */
function endOfString(text: string, open: number): number {
  for (let quote = text.indexOf('"', open + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1
    if (slashes % 2 === 0) return quote
  }
  return text.length
}

interface Fault {
  readonly at: number
  readonly expected: string
}

const LITERAL = /true|false|null/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
const A_VALUE = 'a JSON value (an object, array, string in double quotes, number, true, false or null)'

/**
 * Where a text that JSON.parse refuses stops being JSON. The engine's own messages name no position for short texts
 * and quote the input, so this walks the grammar of RFC 8259 once more, without recursion.
 */
function findJsonFault(text: string): Fault {
  const open: ('{' | '[')[] = []
  let at = 0
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const hit = pattern.test(text)
    if (hit) at = pattern.lastIndex
    return hit
  }
  /** Passes a member's name and colon; the fault where it is not one. */
  const member = (expected: string): Fault | undefined => {
    skip(SPACE)
    if (text[at] !== '"') return { at, expected }
    const end = endOfString(text, at)
    const fault = stringFault(text, at, end)
    if (fault !== undefined) return fault
    at = end + 1
    skip(SPACE)
    if (text[at] !== ':') return { at, expected: "':' after the member's name" }
    at += 1
    return undefined
  }
  for (;;) {
    skip(SPACE)
    const c = text[at]
    if (c === '{' || c === '[') {
      at += 1
      skip(SPACE)
      if (text[at] !== (c === '{' ? '}' : ']')) {
        open.push(c)
        const fault = c === '{' ? member("a member's name in double quotes or '}'") : undefined
        if (fault !== undefined) return fault
        continue
      }
      at += 1
    } else if (c === '"') {
      const end = endOfString(text, at)
      const fault = stringFault(text, at, end)
      if (fault !== undefined) return fault
      at = end + 1
    } else if (!skip(LITERAL) && !skip(NUMBER)) {
      const special = text.startsWith('NaN', at) || text.startsWith('Infinity', at) || text.startsWith('-Infinity', at)
      return { at, expected: special ? 'a finite number (JSON has no NaN or Infinity)' : A_VALUE }
    }
    // A value has ended: close what it closes, then a comma or the end must follow.
    for (;;) {
      skip(SPACE)
      const inside = open.at(-1)
      if (inside === undefined) return { at, expected: 'the end of the text' }
      const close = inside === '{' ? '}' : ']'
      if (text[at] === close) {
        open.pop()
        at += 1
        continue
      }
      if (text[at] !== ',') return { at, expected: `',' or '${close}'` }
      at += 1
      const fault = inside === '{' ? member("a member's name in double quotes") : undefined
      if (fault !== undefined) return fault
      break
    }
  }
}

function stringFault(text: string, open: number, end: number): Fault | undefined {
  for (let i = open + 1; i < end; i += 1) {
    const c = text.charCodeAt(i)
    if (c < 0x20) return { at: i, expected: 'control characters in a string to be escaped' }
    if (c !== 0x5c) continue
    const escape = text[i + 1] ?? ''
    if (escape === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 2, i + 6)))
        return { at: i, expected: 'four hexadecimal digits after \\u' }
      i += 5
    } else if (escape !== '' && '"\\/bfnrt'.includes(escape)) i += 1
    else return { at: i, expected: 'one of the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u' }
  }
  return end >= text.length ? { at: text.length, expected: 'a double quote that ends the string' } : undefined
}

function found(text: string, at: number): string {
  const point = text.codePointAt(at)
  if (point === undefined) return 'the end of the text'
  const character = String.fromCodePoint(point)
  const name = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character) ? `'${character}'` : name
}

function notJson(text: string, at: number, what: string): JsonProblem {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const message = `line ${line}, column ${column} (byte ${Buffer.byteLength(before)}): ${what}`
  return { kind: 'problem', code: 'not-json', message }
}
