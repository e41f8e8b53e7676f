// Where banks and their pictures are kept: rows under the one change number of all reference data, which workers follow.
import type { AlertResult, Bank, BankAlert, BankChange, BankImage } from '../domain/bank.ts'
import type { KeptPicture } from '../domain/kept-picture.ts'

/** Whose banks somebody may see and change: all, or those that these brands own. It goes into the queries. */
export type BankScope = 'all' | { readonly brandIds: readonly string[] }

/** What it is found by besides its hash, for who follows; nobody else is told. */
export type IndexedImage = BankImage & Pick<KeptPicture, 'forms'>

/** `alerted` and `limited` are active ones of which somebody should look at each (see `BankSummary`). */
export type BankImageState = BankImage['state'] | 'alerted' | 'limited'

export interface BankSummary extends Bank {
  /** Pictures that match. */
  readonly images: number
  /** Pictures that match nothing, for some marketplaces or all, until somebody has looked. */
  readonly quarantined: number
  /** Pictures that met too many sellers and match on: somebody should look. */
  readonly alerted: number
  /** Pictures of fakes that are a rights holder's word alone, or nobody's: they count less until somebody vouches for them. */
  readonly limited: number
}

/**
 * What is new since a change number, in the order of the changes. A change is never torn between two answers, and no picture
 * comes before its bank.
 */
export interface BankChanges {
  readonly banks: readonly Bank[]
  readonly images: readonly (IndexedImage | { readonly imageId: string; readonly removed: true })[]
  /** Everything up to here is in this answer or was before. */
  readonly change: bigint
  /** What the store has reached: more is to be asked for while `change` lies below. */
  readonly head: bigint
  /** Removals up to here are forgotten: whoever holds pictures of an earlier change drops them and asks anew from 0. */
  readonly floor: bigint
}

/** What the active pictures are, to be held against what somebody believes they are. */
export interface BankCensus {
  readonly change: bigint
  readonly images: number
  /** Sum of the first four bytes of every id, as a big-endian number. */
  readonly sum: bigint
}

export interface BankStore {
  /** Of one deployment: a snapshot of another's is never taken for this one's. */
  identity(): Promise<string>
  banks(scope: BankScope): Promise<BankSummary[]>
  bank(bankId: string, scope: BankScope): Promise<Bank | undefined>
  /**
   * Makes or changes a bank, as it then is; what is not said stays. Throws `invalid` where a new one lacks its name or its
   * kind, and `bank-taken` when the bank is there and not in the scope, or would change its kind or its owner while it has
   * pictures: what was confirmed against it would mean something else.
   */
  upsertBank(asked: BankChange, by: string, scope: BankScope): Promise<{ bank: Bank; isNew: boolean }>
  /** Not removed ones, in the order of their ids; `after` is the last id of the page before; `state`: those of it only. */
  images(
    bankId: string,
    page: {
      readonly after?: string | undefined
      readonly limit: number
      readonly state?: BankImageState | undefined
      /** Those of this file only. */
      readonly sha256?: string | undefined
    },
  ): Promise<BankImage[]>
  /** One of them, within the scope. */
  image(bankId: string, imageId: string, scope: BankScope): Promise<BankImage | undefined>
  /**
   * At most 500 at once; `added` are their entries, of an animation one for each of its frames, the one shown longest
   * first. What a rights holder adds is marked as its word (`source.by`); `forbidden` for it: a bank of
   * allowed pictures, and one that the deployment put into quarantine in a bank of its own. A picture that the bank holds whole already is counted as present and not added again. Throws `not-found` when the
   * bank is not there or not in the scope, and `picture-blank` for a picture that could never match.
   */
  addImages(
    bankId: string,
    images: readonly { readonly picture: KeptPicture; readonly source: BankImage['source'] }[],
    by: string,
    scope: BankScope,
  ): Promise<{ added: BankImage[]; present: number }>
  /** False when there is no such picture in that bank, or not in the scope. */
  removeImage(bankId: string, imageId: string, by: string, scope: BankScope): Promise<boolean>
  /**
   * Puts it into quarantine for all or lets it out, also of one for some; what is let out has its alerts answered, and one
   * that only has alerts counts as let out by the deployment. False when it is not there, or is so already. Throws `forbidden` where a rights
   * holder would let out what the deployment put there.
   */
  quarantine(bankId: string, imageId: string, by: string, on: boolean, scope: BankScope): Promise<boolean>
  /**
   * It met too many sellers of one marketplace: an alert is kept, and where `enough` of them say it, it goes into
   * quarantine for that marketplace, or for all when several say the same; of itself at most `perHour` in an hour for each
   * marketplace, and for all. Undefined when there is nothing to be done: it is not there, is in quarantine there, or
   * somebody has let it out since the first of these sellers came.
   */
  alarm(
    bankId: string,
    imageId: string,
    met: Pick<BankAlert, 'marketplace' | 'sellers' | 'newSellers' | 'seconds'> & { readonly enough: boolean },
    perHour: number,
  ): Promise<AlertResult | undefined>
  /** A person of the deployment has looked: it is no longer a rights holder's word alone, or nobody's. False when it is not there. */
  vouch(bankId: string, imageId: string, by: string): Promise<boolean>
  /** At most about `limit` pictures; begin with 0, go on with `change` of the answer. */
  changesSince(change: bigint, limit: number): Promise<BankChanges>
  census(): Promise<BankCensus>
  /** Forgets removed pictures that were removed more than so many seconds ago; resolves to how many, at most `limit`. */
  purge(seconds: number, limit: number): Promise<number>
  /** Calls back when something changed elsewhere; a hint only. Returns the way to stop. */
  onChange(listener: () => void): Promise<() => Promise<void>>
}
