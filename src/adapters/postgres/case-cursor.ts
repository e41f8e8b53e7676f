// A place in the queue of cases: the last one read, by what it is sorted by and its id.
import { TouchstoneError } from '../../errors.ts'
import type { CaseQuery } from '../../review/ports.ts'

export interface CasePlace {
  readonly sort: CaseQuery['sort']
  /** Risk, or the time at which it is due or was closed, as RFC 3339 with microseconds; null: no due time. */
  readonly key: number | string | null
  readonly caseId: string
}

const VERSION = 1
/** Of a case id that we made: a uuid, and some room. */
const MOST_CHARACTERS = 600

/** base64url of `[1, sort, key, caseId]`. Opaque to readers. */
export function encodeCasePlace({ sort, key, caseId }: CasePlace): string {
  return Buffer.from(JSON.stringify([VERSION, sort, key, caseId])).toString('base64url')
}

/** Throws `bad-cursor` for what `encodeCasePlace` did not write for the same order. */
export function decodeCasePlace(cursor: string, sort: CaseQuery['sort']): CasePlace {
  const bad = new TouchstoneError('bad-cursor', 'The cursor is not one that this order of cases gave out')
  if (cursor.length > MOST_CHARACTERS || !/^[\w-]+$/.test(cursor)) throw bad
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw bad
  }
  if (!Array.isArray(content) || content.length !== 4) throw bad
  const [version, sorted, key, caseId] = content as unknown[]
  if (version !== VERSION || sorted !== sort || typeof caseId !== 'string' || caseId.includes('\u0000')) throw bad
  if (!caseId.isWellFormed()) throw bad
  if (sort === 'risk' && typeof key === 'number') return { sort, key, caseId }
  if (sort === 'due' && (key === null || isInstant(key))) return { sort, key, caseId }
  if (sort === 'closed' && isInstant(key)) return { sort, key, caseId }
  throw bad
}

const isInstant = (key: unknown): key is string =>
  typeof key === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(key) && !Number.isNaN(Date.parse(key))
