// The contract of a detector: it looks at one listing and says what it saw. Everything around it follows from this.
import type { z } from 'zod'
import type { GoodsKind, Brand } from '../domain/brand.ts'
import type { Listing } from '../domain/listing.ts'
import type { Reason } from '../domain/decision.ts'
import type { Picture, PictureFault } from '../imaging/picture.ts'
import type { Reading } from '../text/reading.ts'
import type { BankIndex, BankMatch } from './image-hash/ports.ts'
import type { TextModel } from './text-model/ports.ts'

type Json = z.infer<ReturnType<typeof z.json>>

/**
 * What a detector says.
 *
 * - `scored`: it saw evidence. `score` runs from 0 (speaks for the listing) to 1 (speaks most strongly against it) and
 *   is turned into log-odds by the fusion, so a signal never needs to know how much it is worth. `incomplete`: of a part
 *   only. What was seen counts against the listing and never for it, and the policy treats the rest like a failure.
 * - `abstained`: it has nothing to say. Unknown is neither innocent nor guilty: it adds nothing.
 * - `failed`: it could not look. The policy decides what that means; the decision is marked degraded.
 *
 * `passing` says of what it could not look at that it may be able to when asked again later; `late`, that this is worth
 * trying only soon after the listing came.
 * `knownTo`: brands that know what it found and that the listing need not name; where the listing is stopped they are asked.
 * `reasons` are for the honest seller (no figures, no thresholds); `evidence` is JSON for analysts.
 */
export type Finding =
  | {
      readonly state: 'scored'
      readonly score: number
      readonly reasons: readonly Omit<Reason, 'signal'>[]
      readonly evidence: Readonly<Record<string, Json>>
      readonly knownTo?: readonly string[]
      readonly incomplete?: boolean
      readonly passing?: boolean
      readonly late?: boolean
    }
  | { readonly state: 'abstained'; readonly evidence: Readonly<Record<string, Json>> }
  | {
      readonly state: 'failed'
      /** Only what the seller himself can mend. */
      readonly reasons?: readonly Omit<Reason, 'signal'>[]
      readonly evidence: Readonly<Record<string, Json>>
      readonly passing?: boolean
      readonly late?: boolean
    }

/** Everything a detector may look at besides the listing: a frozen snapshot, so that the same input gives the same finding. */
export interface SignalContext {
  /** The listing's text, normalised once, with the brands that it mentions. */
  readonly reading: Reading
  readonly brand: (brandId: string) => Brand | undefined
  /** Kind of thing, read from the category or the title by the listing stage. */
  readonly kind: GoodsKind | undefined
  /** US dollars per unit of a currency, or undefined where the table lacks it. */
  readonly usdPer: (currency: string) => number | undefined
  /** One for each image of the listing, in their order; empty where nobody looks at pictures. */
  readonly pictures: readonly Picture[]
  /** undefined where there are none to look in. */
  readonly banks: BankIndex | undefined
  /** undefined where none is active. */
  readonly textModel: TextModel | undefined
}

export interface SignalExample {
  readonly name: string
  readonly listing: Partial<Listing> & Pick<Listing, 'title'>
  /** Its images: what the banks hold that is like each, or why it could not be seen. */
  readonly pictures?: readonly (readonly Pick<BankMatch, 'kind' | 'distance'>[] | PictureFault)[]
  /** `min` and `max` are inclusive bounds of the score, for `scored` only. */
  readonly expect: {
    readonly state: Finding['state']
    readonly min?: number
    readonly max?: number
    readonly reasons?: readonly string[]
    readonly incomplete?: boolean
  }
}

/**
 * A detector. It must be pure (no clock, no network, no randomness), must run in time linear in the listing's length
 * (attackers choose the text: no backtracking regular expressions) and must not throw: what it throws is tried once
 * more alone, and then the listing becomes a dead letter.
 */
export interface Signal {
  /** Lower-case with hyphens; the label of its metrics. */
  readonly name: string
  /** Rises whenever the same listing could get another score. */
  readonly version: string
  readonly label: string
  readonly description: string
  /** Where its evidence comes from: public sources of phrases, figures, algorithms. */
  readonly sources: readonly string[]
  /** A signal in shadow is recorded and adds nothing. */
  readonly mode: 'enforce' | 'shadow'
  /** At least one that scores and one that abstains; they are contract tests and documentation. */
  readonly examples: readonly SignalExample[]
  evaluate(listing: Listing, context: SignalContext): Finding | Promise<Finding>
}
