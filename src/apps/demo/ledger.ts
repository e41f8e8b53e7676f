// Who was sent and how each ended: every record of the play has one line here and, at the end, exactly one end.
import type { Decision } from '../../domain/decision.ts'
import type { ListingIdentity } from '../../domain/listing.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { Appended } from '../../pipeline/log/ports.ts'
import { identityOf } from './records.ts'
import type { Row } from './story.ts'

export type End =
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'dead-letter'; readonly code: string; readonly message: string }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'withdrawn' }

export interface Played {
  readonly row: Row
  readonly identity: ListingIdentity | undefined
  /** When it was handed to the log, and where the log put it. */
  readonly sentAt: number
  place?: Appended
  end?: End
}

export class Ledger {
  readonly all: Played[] = []
  readonly #byIdentity = new Map<string, Played[]>()
  readonly #byPlace = new Map<string, Played>()

  /** Before it is appended: its decision may be seen before the log has answered us. */
  sending(row: Row, run: string): Played {
    const played: Played = { row, identity: identityOf(row, run), sentAt: Date.now() }
    this.all.push(played)
    if (played.identity !== undefined) {
      const key = keyOf(played.identity)
      this.#byIdentity.set(key, [...(this.#byIdentity.get(key) ?? []), played])
    }
    return played
  }

  appended(played: Played, place: Appended): void {
    played.place = place
    this.#byPlace.set(placeKey(place.partition, place.offset), played)
  }

  at(partition: number, offset: bigint): Played | undefined {
    return this.#byPlace.get(placeKey(partition, offset))
  }

  /** The first record of that identity without an end: records of one listing end in the order in which they were sent. */
  waiting(identity: ListingIdentity): Played | undefined {
    return this.#byIdentity
      .get(keyOf(identity))
      ?.find((p) => p.end === undefined && p.row.event !== 'listing.withdrawn')
  }

  /** The last record sent of that identity that was decided. */
  decided(identity: ListingIdentity): Played | undefined {
    return this.#byIdentity.get(keyOf(identity))?.findLast((p) => p.end?.kind === 'decided')
  }

  /** The latest decided revision of the listing up to that one: what a withdrawal takes back. */
  lastOf({ listingId, revision }: ListingIdentity): Played | undefined {
    const upTo = (p: Played) => (p.identity?.listingId === listingId ? p.identity.revision : Infinity) <= revision
    return this.all.findLast((p) => p.end?.kind === 'decided' && upTo(p))
  }

  /** That revision of the listing, or a later one, was withdrawn by a record that ended before. */
  withdrawnBefore(played: Played): boolean {
    const { identity } = played
    return this.all.some(
      (p) =>
        p.end?.kind === 'withdrawn' &&
        p.identity?.listingId === identity?.listingId &&
        (p.identity?.revision ?? 0) >= (identity?.revision ?? 0),
    )
  }

  /**
   * Records that may end without anything being written about them: a withdrawal, or a listing whose identity was sent
   * before. Their end is found out by asking.
   */
  silent(): Played[] {
    return this.all.filter((p) => {
      if (p.end !== undefined || p.place === undefined || p.identity === undefined) return false
      return p.row.event === 'listing.withdrawn' || this.#byIdentity.get(keyOf(p.identity))?.[0] !== p
    })
  }

  open(): number {
    return this.all.filter((p) => p.end === undefined).length
  }
}

const keyOf = ({ listingId, revision }: ListingIdentity) => `${revision} ${listingId}`
const placeKey = (partition: number, offset: bigint) => `${partition} ${offset}`
