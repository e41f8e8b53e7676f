// What trying again needs of the store: listings that are due, and a transaction that decides only if they still stand so.
import type { Decision } from '../../domain/decision.ts'
import type { Listing, ListingIdentity } from '../../domain/listing.ts'
import type { Settlement, Standing, WantedRescreen } from '../ports.ts'

/** A revision that was decided without a signal, or by a picture that has left its bank, as it is stored. */
export interface DueRescreen {
  readonly listing: Listing
  /** How often it was tried again, this time included. */
  readonly attempts: number
  /** As in `WantedRescreen`. */
  readonly seen: WantedRescreen['seen']
  readonly inline?: WantedRescreen['inline']
  /** The change with which a picture that its decision names left its bank, the last one; 0: it waits for a signal. */
  readonly afterChange: bigint
}

/** What is known of a listing under its row lock. */
export interface RescreenSubject {
  readonly standing: Standing
  /** Of the revision that stands, in order. */
  readonly decisions: readonly Decision[]
}

export interface RescreenSettlement {
  readonly settlement: Settlement
  /** Those that need not be tried any more, unless a picture left its bank with a later change than theirs. */
  readonly ended: readonly (ListingIdentity & Pick<DueRescreen, 'afterChange'>)[]
  /** The others, with what was seen of them by now. */
  readonly waiting: readonly WantedRescreen[]
}

/** When a listing is due again. All in seconds. */
export interface RescreenPauses {
  /** After each attempt; the last one for all further ones. */
  readonly after: readonly number[]
  /** Before the end of a hold: the pause that would reach over this moment, and the one after the last entry, end there. */
  readonly beforeDeadline: number
}

export interface RescreenStore {
  /**
   * Up to `limit` that are due by the database's clock, and of which the banks in memory, which have reached `banksAt`,
   * know what left. Each is due again after its pause: whoever dies over it has lost one attempt.
   */
  claim(limit: number, pauses: RescreenPauses, banksAt: bigint): Promise<readonly DueRescreen[]>
  /**
   * Queues listings that stand held or blocked, without a person's word, as a picture decided that was taken out of its bank
   * since: at most `limit` in one transaction. That they are still to be queued is as durable as that the picture left.
   * Resolves to how much was worked off; 0: no more for now.
   */
  queueDeparted(limit: number): Promise<number>
  /** In one transaction under the listings' locks; `settle` must be synchronous. A listing that is not known is missing. */
  settle(
    listingIds: readonly string[],
    settle: (known: ReadonlyMap<string, RescreenSubject>, now: Date) => RescreenSettlement,
  ): Promise<void>
}
