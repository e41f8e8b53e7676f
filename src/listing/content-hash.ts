// What a listing says, as one number: two revisions with the same hash are the same listing sent twice.
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Listing } from '../domain/listing.ts'

/**
 * SHA-256, in lower-case hexadecimal, of the RFC 8785 form of the parsed listing without `submittedAt`: neither the
 * order of fields, nor unknown fields, nor the time of sending change it.
 */
export function contentHash(listing: Listing): string {
  const { submittedAt: _, ...content } = listing
  const canonical = canonicalize(content)
  if (canonical === undefined) throw new TypeError('a parsed listing always has a canonical form')
  return createHash('sha256').update(canonical, 'utf8').digest('hex')
}
