// What becomes of one record: a value, never an exception. Exceptions are for the unexpected and never commit an offset.
import type { ListingIdentity } from '../domain/listing.ts'
import type { ErrorCode } from '../errors.ts'
import type { RefusalCode } from '../domain/refusal.ts'

export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** It names a listing and a revision but cannot be tried: `listing.refused`. */
  | {
      readonly kind: 'refuse'
      readonly listingId: string
      readonly revision: number
      readonly marketplace?: string | undefined
      readonly code: RefusalCode
      readonly message: string
      readonly path: string
    }
  /** It cannot even be named, or our own code failed on it twice: the original bytes go to the dead letters. */
  | {
      readonly kind: 'deadLetter'
      readonly code: ErrorCode
      readonly message: string
      readonly stage: string
      readonly attempts: number
      /** JSON pointer to the field at fault, where there is one. */
      readonly path?: string
      /** What it says, where that could be read and only our own code failed: if that stands already, it needs no letter. */
      readonly said?: ListingIdentity & { readonly contentHash: string }
    }

export const ok = <T>(value: T): Outcome<T> => ({ kind: 'ok', value })
