// What trying again needs of the store: listings that are due, and a transaction that decides only if they still stand so.
import type { Decision } from '../../domain/decision.ts'
import type { Listing, ListingIdentity } from '../../domain/listing.ts'
import type { Settlement, Standing } from '../ports.ts'

/** A revision that was decided without a signal, as it is stored. */
export interface DueRescreen {
  readonly listing: Listing
  /** How often it was tried again, this time included. */
  readonly attempts: number
}

/** What is known of a listing under its row lock. */
export interface RescreenSubject {
  readonly standing: Standing
  /** Of the revision that stands, in order. */
  readonly decisions: readonly Decision[]
}

export interface RescreenSettlement {
  readonly settlement: Settlement
  /** Those that need not be tried any more. */
  readonly ended: readonly ListingIdentity[]
}

export interface RescreenStore {
  /**
   * Up to `limit` that are due by the database's clock. Each is due again after the entry of `pauses` (seconds) for its
   * attempt, the last one for all further ones: whoever dies over it has lost one attempt.
   */
  claim(limit: number, pauses: readonly number[]): Promise<readonly DueRescreen[]>
  /** In one transaction under the listings' locks; `settle` must be synchronous. A listing that is not known is missing. */
  settle(
    listingIds: readonly string[],
    settle: (known: ReadonlyMap<string, RescreenSubject>, now: Date) => RescreenSettlement,
  ): Promise<void>
}
