// Names for statements that are sent again and again, so that the server parses and plans each of them once per connection.
import { createHash } from 'node:crypto'
import type { Pool } from 'pg'

/** Each costs memory in every session; what decides and publishes has some thirty. */
const MOST = 100

const pools = new WeakSet<Pool>()
const names = new Map<string, string>()

/** Statements on connections of this pool get names from now on. Not for pools whose texts depend on what callers ask. */
export function prepareStatementsOf(pool: Pool): void {
  pools.add(pool)
}

/** How statements on connections of this pool are named; undefined: not at all. */
export const namesOf = (pool: Pool): ((text: string) => string | undefined) =>
  pools.has(pool) ? nameOf : () => undefined

/** The same for the same text in every process: a pooler that keeps sessions can never serve another text under it. */
export function nameOf(text: string): string | undefined {
  let name = names.get(text)
  if (name === undefined && names.size < MOST) {
    name = `touchstone_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    names.set(text, name)
  }
  return name
}

/** For the driver, which takes the property only with a name. */
export const named = (name: string | undefined): { readonly name?: string } => (name === undefined ? {} : { name })
