// No text that the store cannot hold, wherever it stands in a body: PostgreSQL takes neither U+0000 nor lone surrogates.
import type { z } from 'zod'

/** A check for `superRefine`; names the first place. The body was read within its limit of depth. */
export function storable(value: unknown, ctx: z.RefinementCtx): void {
  const path = unstorable(value, [])
  if (path !== undefined) ctx.addIssue({ code: 'custom', path, message: 'must be well-formed Unicode without U+0000' })
}

function unstorable(value: unknown, path: readonly (string | number)[]): (string | number)[] | undefined {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000') ? undefined : [...path]
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = unstorable(key, path) ?? unstorable(inner, [...path, Array.isArray(value) ? Number(key) : key])
    if (found !== undefined) return found
  }
  return undefined
}
