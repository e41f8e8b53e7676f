// What verdicts need of the store: to be recorded once, in the transaction that moves the offset and decides anew.
import type { KeptPicture } from '../../domain/kept-picture.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { BatchResult } from '../log/ports.ts'
import type { Settlement, Span, Standing } from '../ports.ts'

/** What is known of a listing that a verdict is about, read under its row lock. */
export interface VerdictSubject {
  readonly standing: Standing
  /** Those that were asked for; of the revision that stands, the last one and the last one that no person made. In order. */
  readonly decisions: readonly Decision[]
  /**
   * Recorded on the revision that stands and on those that were asked for, those that these name in `supersedes` and that
   * name these, in any order. One that named no case has that of its decision.
   */
  readonly verdicts: readonly Verdict[]
}

export interface KnownOfVerdicts {
  /** By listing; a listing that the store does not know is missing. */
  readonly subjects: ReadonlyMap<string, VerdictSubject>
  /** By id, of the ids that were asked for. */
  readonly recorded: ReadonlyMap<string, Verdict>
}

/** A verdict that confirmed a case: the pictures of that revision, and earlier ones of the case, join the bank of confirmed ones. */
export interface BankJoin {
  readonly verdictId: string
  readonly caseId: string
  readonly listingId: string
  readonly revision: number
  /** For which brand it speaks; null: for all. */
  readonly brandId: string | null
  /** What the listing was about when it was looked at, the one that it speaks for among them. */
  readonly brandIds: readonly string[]
  /** By sha256, those that it is about, of whatever revision of the case; null: it does not say. */
  readonly pictures: readonly string[] | null
  /** Who said it. */
  readonly by: string
  /** A rights holder did: what other sellers show on sale too joins as what it uploads does. */
  readonly byBrand: boolean
}

/** A brand's `rejected`: what another brand's word alone put into a bank from that revision counts less from then on. */
export interface BankDispute {
  readonly listingId: string
  readonly revision: number
  readonly brandId: string
}

/** A picture of a case: of an earlier revision only where the one that the verdict is about does not have it. */
export interface PictureOfVerdict {
  readonly revision: number
  readonly ordinal: number
  readonly sha256: string
}

export interface JoinedPicture extends PictureOfVerdict {
  /** Whose word it counts as, where that is less than a person's who looked at it; of an animation at least one frame. */
  readonly by?: 'brand' | 'nobody'
}

export interface LeftOutPicture extends PictureOfVerdict {
  /** As the counts of the same names. */
  readonly why: 'official' | 'elsewhere' | 'notLookedUp' | 'unnamed' | 'earlier'
  /** Of `elsewhere`, where that was asked: listings of other sellers that show it, newest first; not said: not known. */
  readonly listings?: readonly string[]
}

/** What became of the pictures of one such case, by the knowledge of the transaction in which they joined. */
export interface JoinedPictures {
  readonly bankId: string
  readonly joined: number
  /** Newest revision first. */
  readonly which: readonly JoinedPicture[]
  /** Of these, of which at least a frame joined as a rights holder's word alone (others show it on sale too, or nobody could look that up), or as nobody's (a revision in between showed it). */
  readonly limited: number
  /** Like one of a genuine or an allowed bank. */
  readonly official: number
  /** Shown by other sellers' listings on sale too. */
  readonly elsewhere: number
  /** Not named, and nobody could look up in time whether they are official or others show them. */
  readonly notLookedUp: number
  /** Of those that are not blank, those that the verdict does not name although it names some. */
  readonly unnamed: number
  /** Of earlier revisions of the case that it does not speak of: it names none, and they are not part of what it confirms. */
  readonly earlier: number
  /** Which, of these that a person may name instead; of earlier revisions that it does not speak of no more than the newest. */
  readonly leftOutWhich: readonly LeftOutPicture[]
  /** Of its revision, as the next ones. */
  readonly blank: number
  /** The same bytes as another of the case. */
  readonly repeated: number
  /** Were kept for its case and are not any more. */
  readonly gone: number
  /** The same of earlier revisions that it speaks of. */
  readonly goneEarlier: number
  /** Kept for the case, of this revision. */
  readonly kept: number
  /** Of the listing, as it was sent. */
  readonly listed: number
}

/** A picture of a case as it is compared, in hexadecimal; `variants` are all that an entry of it would match by, none where not known. */
export interface CaseHashes extends Pick<KeptPicture, 'sha256' | 'hash' | 'variants'> {
  /** Of an animation; 0, or not said: the picture itself. */
  readonly frame?: number
}

/** Which genuine and allowed banks pictures are like, as of one change of the reference data. */
export interface OfficialLook {
  /** Everything up to here was compared, and perhaps some of what came later. */
  readonly change: bigint
  /** What was compared. */
  readonly looked: readonly Pick<FrameOfListing, 'sha256' | 'frame'>[]
  readonly near: readonly LikeOfficial[]
}

export interface LikeOfficial {
  readonly sha256: string
  readonly frame: number
  readonly bankId: string
  /** By a picture for which nobody of the deployment vouches: the word of the bank's owner alone. */
  readonly alone: boolean
}

/** A picture of a listing, of an animation one frame. */
export interface FrameOfListing {
  readonly listingId: string
  readonly sha256: string
  readonly frame: number
}

/** Besides it, which of the pictures of whose listing other sellers' listings show that stand allowed. */
export interface CaseLook extends OfficialLook {
  readonly elsewhere?: readonly FrameOfListing[]
  /** Of which that is known, these and others; not said: of all. */
  readonly lookedUp?: readonly FrameOfListing[]
}

/**
 * Compares pictures of cases with the official ones before the transaction in which they may join a bank: there the store
 * compares only what changed since, so that nobody who changes reference data waits for it.
 */
export type LookForOfficials = (pictures: readonly CaseHashes[]) => Promise<OfficialLook>

export interface VerdictSettlement extends Settlement {
  readonly verdicts: readonly Verdict[]
  readonly bankJoins?: readonly BankJoin[]
  /** Verdicts that no longer count: what joined with them leaves. */
  readonly bankLeaves?: readonly string[]
  readonly bankDisputes?: readonly BankDispute[]
}

/** What of a verdict says what is to be read, and looked up before it, on its account. */
export type WantedVerdict = Pick<
  Verdict,
  'verdictId' | 'listingId' | 'revision' | 'decisionId' | 'supersedes' | 'verdict' | 'brandId' | 'pictures' | 'by'
>

export interface VerdictStore {
  /**
   * As `GateStore.commit`: the offset, the verdicts and what they decide, or nothing and `moved`. `moved` also when
   * somebody else recorded one of these verdicts meanwhile: read again, then it is known. `settle` must be synchronous.
   */
  commit(
    batch: Span,
    wanted: readonly WantedVerdict[],
    settle: (known: KnownOfVerdicts, now: Date) => VerdictSettlement,
  ): Promise<BatchResult>
}
